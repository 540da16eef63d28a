"""The sinks: each turns the runtime's events into one kind of telemetry."""
