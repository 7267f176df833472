"""Following money from account to account: what moves, and how it is told apart."""
