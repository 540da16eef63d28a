"""What a secret looks like: its formats, the names of its fields, and how both are found in texts.

One place for all that must not show secrets: the findings about a spec, and what the runtime sends.
`kinds`, `keys` and `findings` are light; `scanner` compiles expressions, so import it when needed.
"""
