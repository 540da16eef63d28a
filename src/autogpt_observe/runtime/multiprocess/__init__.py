"""Metrics of several processes shown as one, through the folder PROMETHEUS_MULTIPROC_DIR."""
