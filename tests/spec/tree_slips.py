"""Files that can't be read as they are, each with what is found in them, as it is printed."""

# ruff: noqa: E501 - findings stand as they are printed

from __future__ import annotations

START = "  = `autogpt-observe init` writes a spec to start from"
TO_MEND: dict[str, tuple[str | bytes, str]] = {
    "a duplicate key": (
        "a: 1\nb: 2\na: 3\n",
        """
        observe.yaml:3:1: error: the key `a` stands twice; it was first on line 1 [yaml/duplicate-key]
            3 | a: 3
              | ^
          = remove one of the two
        """,
    ),
    "a duplicate key, written in another way": (
        'a: 1\n"\\x61": 2\n',
        r"""
        observe.yaml:2:1: error: the key `a` stands twice; it was first on line 1 [yaml/duplicate-key]
            2 | "\x61": 2
              | ^^^^^^
          = remove one of the two
        """,
    ),
    "a duplicate key by alias": (
        "a: &x b\nb: 1\n*x : 2\n",
        """
        observe.yaml:3:1: error: the key `b` stands twice; it was first on line 2 [yaml/duplicate-key]
            3 | *x : 2
              | ^^
          = remove one of the two
        """,
    ),
    "a duplicate key between the line ends of an old Mac": (
        "a: 1\rb: 2\ra: 3\r",
        """
        observe.yaml:3:1: error: the key `a` stands twice; it was first on line 1 [yaml/duplicate-key]
            3 | a: 3
              | ^
          = remove one of the two
        """,
    ),
    "a list as key": (
        "? [a, b]\n: 1\n",
        """
        observe.yaml:1:3: error: expected a text as key, got a list [yaml/key]
            1 | ? [a, b]
              |   ^
          = quote a text that starts with { or [
        """,
    ),
    "a template without quotes": (
        "summary: {{ $value }}\n",
        """
        observe.yaml:1:11: error: expected a text as key, got a map [yaml/key]
            1 | summary: {{ $value }}
              |           ^
          = quote a text that starts with { or [
        """,
    ),
    "no key": (
        "~: 1\n",
        """
        observe.yaml:1:1: error: expected a text as key, got nothing [yaml/key]
            1 | ~: 1
              | ^
          = write the key before the `:`
        """,
    ),
    "a merge key": (
        "a: &a {b: 1}\nc:\n  <<: *a\n",
        """
        observe.yaml:3:3: error: merge keys (`<<`) are not read [yaml/merge-key]
            3 |   <<: *a
              |   ^^
          = repeat the values, or put what is shared into a pack or an environment
        """,
    ),
    "a tag": (
        "a: !!python/object:os.system ls\n",
        """
        observe.yaml:1:4: error: the tag `!!python/object:os.system` is not read [yaml/tag]
            1 | a: !!python/object:os.system ls
              |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = remove it; the spec knows the type of every key
        """,
    ),
    "a tag on a map": (
        "a: !secret {b: 1}\n",
        """
        observe.yaml:1:4: error: the tag `!secret` is not read [yaml/tag]
            1 | a: !secret {b: 1}
              |    ^^^^^^^^^
          = remove it; the spec knows the type of every key
        """,
    ),
    "two documents": (
        "a: 1\n---\nb: 2\n",
        """
        observe.yaml:2:1: error: a second document starts here; a spec is one document [yaml/documents]
            2 | ---
              | ^^^
          = remove the `---`, or put the rest into a file of its own and `include` it
        """,
    ),
    "a NUL byte": (
        "a: x\0y\n",
        r"""
        observe.yaml:1:5: error: the file holds a NUL byte [yaml/control]
            1 | a: x\x00y
              |     ^^^^
          = remove it; in a text, write it as an escape in double quotes, such as "\x1b"
        """,
    ),
    "an escape sequence of a terminal": (
        "a: 1\nb: '\x1b[31mred'\n",
        r"""
        observe.yaml:2:5: error: the file holds the control character U+001B [yaml/control]
            2 | b: '\x1b[31mred'
              |     ^^^^
          = remove it; in a text, write it as an escape in double quotes, such as "\x1b"
        """,
    ),
    "a line end that YAML 1.2 and editors don't see": (
        "a: x\u2028b: 2\n",
        r"""
        observe.yaml:1:5: error: the file holds the control character U+2028 [yaml/control]
            1 | a: x\u2028b: 2
              |     ^^^^^^
          = remove it; in a text, write it as an escape in double quotes, such as "\x1b"
        """,
    ),
    "a tab as indentation": (
        "a:\n\tb: 1\n",
        """
        observe.yaml:2:1: error: not valid YAML: found character that cannot start any token while scanning for the next token [yaml/syntax]
            2 |  b: 1
              | ^
          = indent with spaces; YAML forbids tabs there
        """,
    ),
    "bytes of another encoding": (
        "a: 1\nb: Z\u00fcrich\n".encode("latin-1"),
        """
        observe.yaml:2:5: error: the file is not UTF-8: byte 0xfc [yaml/encoding]
            2 | b: Z\ufffdrich
              |     ^
          = save the file as UTF-8
        """,
    ),
    "bytes of another encoding behind a byte order mark": (
        b"\xef\xbb\xbfa: \xff\n",
        """
        observe.yaml:1:4: error: the file is not UTF-8: byte 0xff [yaml/encoding]
            1 | a: \ufffd
              |    ^
          = save the file as UTF-8
        """,
    ),
    "UTF-16": (
        "a: 1".encode("utf-16"),
        """
        observe.yaml:1:1: error: the file is not UTF-8: byte 0xff [yaml/encoding]
            1 | \ufffd\ufffda\\x00:\\x00 \\x001\\x00
              | ^
          = save the file as UTF-8
        """,
    ),
    "a cycle": (
        "a: &loop\n  b: [*loop]\n",
        """
        observe.yaml:2:7: error: `*loop` stands inside the very node it refers to [yaml/cycle]
            2 |   b: [*loop]
              |       ^^^^^
          = write the value out
        """,
    ),
    "an unknown anchor": (
        "a: *nowhere\n",
        """
        observe.yaml:1:4: error: `*nowhere` refers to no anchor before it [yaml/alias]
            1 | a: *nowhere
              |    ^^^^^^^^
          = define `&nowhere` above, or quote a text that starts with `*`
        """,
    ),
    "an empty file": (
        "",
        f"""
        observe.yaml:1:1: error: the file holds no spec [spec/empty]
            1 |
              | ^
        {START}
        """,
    ),
    "nothing but comments": (
        "# soon\n",
        f"""
        observe.yaml:1:1: error: the file holds no spec [spec/empty]
            1 | # soon
              | ^
        {START}
        """,
    ),
    "an empty document": (
        "---\n",
        f"""
        observe.yaml:1:1: error: the file holds no spec [spec/empty]
            1 | ---
              | ^
        {START}
        """,
    ),
    "a list at the top": (
        "- a\n",
        f"""
        observe.yaml:1:1: error: expected a map of sections at the top, got a list [spec/type]
            1 | - a
              | ^
        {START}
        """,
    ),
    "a text at the top": (
        "version 1\n",
        f"""
        observe.yaml:1:1: error: expected a map of sections at the top, got `version 1` [spec/type]
            1 | version 1
              | ^^^^^^^^^
        {START}
        """,
    ),
    "a colon in a text": (
        "a: runs: many\n",
        """
        observe.yaml:1:8: error: not valid YAML: mapping values are not allowed in this context [yaml/syntax]
            1 | a: runs: many
              |        ^
          = quote a text that holds `: `, and check the indentation
        """,
    ),
    "a backtick": (
        "a: `up`\n",
        """
        observe.yaml:1:4: error: not valid YAML: found character that cannot start any token while scanning for the next token [yaml/syntax]
            1 | a: `up`
              |    ^
          = quote a text that starts with this character
        """,
    ),
    "a bracket that stays open": (
        "a: 1\nb: [1, 2\n",
        """
        observe.yaml:3:1: error: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence that starts on line 2 [yaml/syntax]
            3 |
              | ^
          = close the bracket; inside of brackets, quote a text that holds `,` or a bracket
        """,
    ),
    "a quote that stays open": (
        "a: 'x\nb: 1\n",
        """
        observe.yaml:3:1: error: not valid YAML: found unexpected end of stream while scanning a quoted scalar that starts on line 1 [yaml/syntax]
            3 |
              | ^
        """,
    ),
    "a text behind a quote": (
        'summary: "Errors" per second\n',
        """
        observe.yaml:1:19: error: not valid YAML: did not find expected key while parsing a block mapping [yaml/syntax]
            1 | summary: "Errors" per second
              |                   ^
          = quote the whole text; nothing may follow a closing quote or bracket
        """,
    ),
    "a version of YAML yet to come": (
        "%YAML 3.0\n---\na: 1\n",
        """
        observe.yaml:1:1: error: not valid YAML: found incompatible YAML document [yaml/syntax]
            1 | %YAML 3.0
              | ^
        """,
    ),
}
