"""Traces: a span for each scope, on a provider of the runtime's own or on the host's."""
