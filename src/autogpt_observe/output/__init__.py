"""The disk side: what a bundle would change, writing it whole, and proving it with real tools."""
