"""The TAXII 2.1 server and client (OASIS Standard, 10 June 2021)."""
