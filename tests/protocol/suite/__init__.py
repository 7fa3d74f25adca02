"""What the documents promise, asked of a running server through `client`. `tests/protocol/run` starts the server and names it."""
