"""The ways that are measured in processes of their own; loaded there, some by other Pythons."""
