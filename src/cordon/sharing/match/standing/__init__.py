"""Standing questions: "tell me if anyone meets this", kept by the other side unread."""
