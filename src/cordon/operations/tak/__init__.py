"""TAK both ways: phones that join by certificate, what they say, and what the node tells them."""
