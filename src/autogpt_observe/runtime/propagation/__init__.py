"""Takes the context along: the innermost scope and OpenTelemetry's context, wherever work goes."""
