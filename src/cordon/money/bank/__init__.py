"""What banks send: ISO 20022 messages (camt.053, pacs.008) and SWIFT statements (MT940).

Each reader gives rows of the format `payments` as text; the same checks as for a plain file
follow. Nothing is made up: what a message does not tell is left out, or said in a note.
"""
