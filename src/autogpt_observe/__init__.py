"""Observability for LLM agents: one spec, the bundle it implies, and the runtime that feeds it."""

__version__ = "0.1.0"
