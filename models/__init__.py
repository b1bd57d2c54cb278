"""The common ground: nouns and rules of civil registration, pure and without any input or output."""
