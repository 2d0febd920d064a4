"""Records that an audit asks for: archives, the rules for how long they are kept, checks and retrieval."""
