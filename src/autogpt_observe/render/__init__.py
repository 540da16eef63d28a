"""Renderers: pure functions from a spec to the files of one product."""
