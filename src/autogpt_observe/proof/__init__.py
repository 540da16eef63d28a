"""The proof: a demo agent on a real Prometheus and Alertmanager, and what they deliver."""
