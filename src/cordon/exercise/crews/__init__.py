"""The other side of dispatch: units with a truth of their own, played on the production path."""
