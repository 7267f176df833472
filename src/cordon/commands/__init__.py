"""Commands of the node as a whole; a room's commands stand in the room."""
