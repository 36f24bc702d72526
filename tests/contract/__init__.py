"""The contract as others see it: documents, answers to anything, two checkers of one schema."""
