"""The parts of the world “callcentre”: land, people, trades, centres, boxes, money, and rows."""
