"""A small client of Wenzhen, written from chat/PROTOCOL.md, signaling/PROTOCOL.md, the schema and /api/openapi.json alone.

It never looks at the server's or the web client's source: what the documents leave open would show here as a guess.
"""
