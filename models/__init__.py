"""The common ground: nouns and rules of civil registration, pure, without input or output."""
