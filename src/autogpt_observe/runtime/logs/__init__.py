"""Log events as lines of JSON in the Elastic Common Schema: built, queued, written."""
