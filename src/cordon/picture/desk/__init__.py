"""What officers work with beside the live picture: replay, history, watch list, overlays, views."""
