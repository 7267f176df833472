"""Requests: what one agency asks another for, by when, and what came of it."""
