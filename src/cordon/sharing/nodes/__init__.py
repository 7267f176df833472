"""The way between nodes: each node's own key, the peers it knows, and what they tell each other."""
