"""The runtime: instruments made from the spec, fed by decorators, served to Prometheus."""
