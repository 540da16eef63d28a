"""What can be wrong with a key or its value, each with what is found, as it is printed."""

# ruff: noqa: E501 - findings stand as they are printed

from __future__ import annotations

SLIPS = {
    "a list for a text": (
        "recording_rules: {r: {expr: up, help: [a]}}",
        """
        observe.yaml:3:39: error: `help`: expected a text, got a list [spec/type]
            3 | recording_rules: {r: {expr: up, help: [a]}}
              |                                       ^
          = quote a text that starts with { or [
        """,
    ),
    "nothing for a text": (
        "recording_rules: {r: {expr: up, help: }}",
        """
        observe.yaml:3:33: error: `help`: expected a text, got nothing [spec/type]
            3 | recording_rules: {r: {expr: up, help: }}
              |                                 ^^^^
          = write "" for an empty text
        """,
    ),
    "a label's braces for an expression": (
        'recording_rules: {r: {expr: {job="x"}}}',
        """
        observe.yaml:3:29: error: `expr`: expected a PromQL expression, got a map [spec/type]
            3 | recording_rules: {r: {expr: {job="x"}}}
              |                             ^
          = quote a text that starts with { or [
        """,
    ),
    "yes for a truth value": (
        "metrics: {a_total: {type: counter, from: code, help: A, exemplars: Yes}}",
        """
        observe.yaml:3:68: error: `exemplars`: expected `true` or `false`, got `Yes` [spec/type]
            3 | ...: {a_total: {type: counter, from: code, help: A, exemplars: Yes}}
              |                                                                ^^^
          = write `true`
        """,
    ),
    "quotes around a truth value": (
        "metrics: {a_total: {type: counter, from: code, help: A, exemplars: 'true'}}",
        """
        observe.yaml:3:68: error: `exemplars`: expected `true` or `false`, got `true` [spec/type]
            3 | ...: {a_total: {type: counter, from: code, help: A, exemplars: 'true'}}
              |                                                                ^^^^^^
          = write `true`
        """,
    ),
    "a fraction for a whole number": (
        "prometheus: {series_budget: 1.5}",
        """
        observe.yaml:3:29: error: `series_budget`: expected a whole number, got `1.5` [spec/type]
            3 | prometheus: {series_budget: 1.5}
              |                             ^^^
        """,
    ),
    "quotes around a whole number": (
        'prometheus: {series_budget: "5"}',
        """
        observe.yaml:3:29: error: `series_budget`: expected a whole number, got `5` [spec/type]
            3 | prometheus: {series_budget: "5"}
              |                             ^^^
          = remove the quotes
        """,
    ),
    "a whole number that YAML 1.1 reads as octal": (
        "prometheus: {series_budget: 010}",
        """
        observe.yaml:3:29: error: `series_budget`: expected a whole number, got `010` [spec/type]
            3 | prometheus: {series_budget: 010}
              |                             ^^^
          = YAML 1.1 reads this as an octal number; write `10`
        """,
    ),
    "a whole number out of bounds": (
        "logs: {beats_port: 65536, pattern: '%{X:timestamp}', date_formats: [], elasticsearch: [], index: i}",
        """
        observe.yaml:3:20: error: `beats_port`: expected a whole number from 1 to 65,535, got `65536` [spec/type]
            3 | logs: {beats_port: 65536, pattern: '%{X:timestamp}', date_formats: [], elasticsearch: [], index: i}
              |                    ^^^^^
        """,
    ),
    "an unknown word": (
        "alerts: {A: {when: {expr: up}, severity: critcal, annotations: {summary: s}}}",
        """
        observe.yaml:3:42: error: `severity`: expected one of `info`, `warning`, `critical`, got `critcal` [spec/type]
            3 | alerts: {A: {when: {expr: up}, severity: critcal, annotations: {summary: s}}}
              |                                          ^^^^^^^
          = did you mean `critical`?
        """,
    ),
    "a clock for a duration": (
        "prometheus: {scrape_interval: 1:30}",
        """
        observe.yaml:3:31: error: `scrape_interval`: expected a duration such as `30s`, `5m` or `1h30m`, got `1:30` [spec/type]
            3 | prometheus: {scrape_interval: 1:30}
              |                               ^^^^
          = YAML 1.1 reads this as a base-60 number; write `1m30s`
        """,
    ),
    "no list": (
        "prometheus: {scrape: 'localhost:9464'}",
        """
        observe.yaml:3:22: error: `scrape`: expected a list, got `localhost:9464` [spec/type]
            3 | prometheus: {scrape: 'localhost:9464'}
              |                      ^^^^^^^^^^^^^^^^
          = write `[localhost:9464]`
        """,
    ),
    "a map for a list": (
        "prometheus: {scrape: {a: 1}}",
        """
        observe.yaml:3:22: error: `scrape`: expected a list, got a map [spec/type]
            3 | prometheus: {scrape: {a: 1}}
              |                      ^
        """,
    ),
    "one bad item of a list": (
        "prometheus: {scrape: ['a:1', a, 'b:2']}",
        """
        observe.yaml:3:30: error: `scrape`: expected an address `host:port`, such as `localhost:9090`, got `a` [spec/type]
            3 | prometheus: {scrape: ['a:1', a, 'b:2']}
              |                              ^
        """,
    ),
    "no map": (
        "prometheus: fast",
        """
        observe.yaml:3:13: error: `prometheus`: expected a map, got `fast` [spec/type]
            3 | prometheus: fast
              |             ^^^^
        """,
    ),
    "a list for a section of named parts": (
        "alerts: [{when: {expr: up}}]",
        """
        observe.yaml:3:9: error: `alerts`: expected a map, got a list [spec/type]
            3 | alerts: [{when: {expr: up}}]
              |         ^
        """,
    ),
    "nothing in a section": (
        "alerts:",
        """
        observe.yaml:3:1: error: `alerts`: expected a map, got nothing [spec/type]
            3 | alerts:
              | ^^^^^^
        """,
    ),
    "a name that is no metric's": (
        "metrics: {autogpt.runs: {type: gauge, from: code, help: Runs}}",
        """
        observe.yaml:3:11: error: expected a metric name of letters, digits and `_`, not starting with a digit, got `autogpt.runs` [spec/name]
            3 | metrics: {autogpt.runs: {type: gauge, from: code, help: Runs}}
              |           ^^^^^^^^^^^^
        """,
    ),
    "a label of Prometheus' own": (
        "recording_rules: {r: {expr: up, labels: {__name__: x}}}",
        """
        observe.yaml:3:42: error: expected a label name of letters, digits and `_`, starting with neither a digit nor `__`, got `__name__` [spec/name]
            3 | recording_rules: {r: {expr: up, labels: {__name__: x}}}
              |                                          ^^^^^^^^
        """,
    ),
    "one time, written in two ways": (
        """
        alerts:
          A:
            when: {expr: up == 0}
            severity: info
            annotations: {summary: s}
            tests: {t: {series: {up: 0x9}, at: {0: silent, 60s: fires, 1m: fires}}}
        """,
        """
        observe.yaml:9:64: error: `1m` stands twice in `at`, written differently [spec/name]
            9 | ... tests: {t: {series: {up: 0x9}, at: {0: silent, 60s: fires, 1m: fires}}}
              |                                                                ^^
          = remove one of the two
        """,
    ),
    "a condition in one piece": (
        "alerts: {A: {when: up == 0, severity: info, annotations: {summary: s}}}",
        """
        observe.yaml:3:20: error: `when`: expected a map with one of `expr`, `ratio`, `rate`, `increase`, `threshold`, `quantile`, `absent`, `stale`, `trend`, `burn`, got `up == 0` [spec/type]
            3 | alerts: {A: {when: up == 0, severity: info, annotations: {summary: s}}}
              |                    ^^^^^^^
        """,
    ),
    "two conditions": (
        "alerts: {A: {when: {expr: up, ratio: {}}, severity: info, annotations: {summary: s}}}",
        """
        observe.yaml:3:31: error: `when`: expected a map with one of `expr`, `ratio`, `rate`, `increase`, `threshold`, `quantile`, `absent`, `stale`, `trend`, `burn`, got 2 of them [spec/type]
            3 | alerts: {A: {when: {expr: up, ratio: {}}, severity: info, annotations: {summary: s}}}
              |                               ^^^^^
          = keep one of them
        """,
    ),
    "an unknown condition": (
        "alerts: {A: {when: {exp: up}, severity: info, annotations: {summary: s}}}",
        """
        observe.yaml:3:21: error: unknown key `exp` in `when` [spec/unknown-key]
            3 | alerts: {A: {when: {exp: up}, severity: info, annotations: {summary: s}}}
              |                     ^^^
          = did you mean `expr`?
        """,
    ),
    "an unknown moment of a test": (
        """
        alerts:
          A:
            when: {expr: up == 0}
            severity: info
            annotations: {summary: s}
            tests: {t: {series: {up: 0x9}, at: {1m: quiet}}}
        """,
        """
        observe.yaml:9:45: error: `1m`: expected `silent`, `fires`, or a map, got `quiet` [spec/type]
            9 |     tests: {t: {series: {up: 0x9}, at: {1m: quiet}}}
              |                                             ^^^^^
        """,
    ),
    "an unknown section": (
        "alert: {}",
        """
        observe.yaml:3:1: error: unknown section `alert` [spec/unknown-key]
            3 | alert: {}
              | ^^^^^
          = did you mean `alerts`?
        """,
    ),
    "an unknown key deep inside": (
        "notifications: {receivers: {t: {webhook: {url: 'http://a', send_resolvd: true}}}, default: t}",
        """
        observe.yaml:3:60: error: unknown key `send_resolvd` in `webhook` [spec/unknown-key]
            3 | notifications: {receivers: {t: {webhook: {url: 'http://a', send_resolvd: true}}}, default: t}
              |                                                            ^^^^^^^^^^^^
          = did you mean `send_resolved`?
        """,
    ),
    "a missing key": (
        "metrics: {a_total: {type: counter, from: code}}",
        """
        observe.yaml:3:11: error: `a_total` lacks the key `help` [spec/missing-key]
            3 | metrics: {a_total: {type: counter, from: code}}
              |           ^^^^^^^
          = add `help:` (What it counts, one line; becomes its # HELP text)
        """,
    ),
    "a missing key of an item": (
        "dashboards: {d: {title: D, rows: [{title: R, panels: [{expr: up}]}]}}",
        """
        observe.yaml:3:55: error: `panels` lacks the key `title` [spec/missing-key]
            3 | dashboards: {d: {title: D, rows: [{title: R, panels: [{expr: up}]}]}}
              |                                                       ^
          = add `title:` (Title of the panel)
        """,
    ),
    "`enabled` that is no truth value": (
        "recording_rules: {r: {expr: up, enabled: no}}",
        """
        observe.yaml:3:42: error: `enabled`: expected `true` or `false`, got `no` [spec/type]
            3 | recording_rules: {r: {expr: up, enabled: no}}
              |                                          ^^
          = write `false`
        """,
    ),
    "`enabled` where nothing can be removed": (
        "prometheus: {enabled: false}",
        """
        observe.yaml:3:14: error: unknown key `enabled` in `prometheus` [spec/unknown-key]
            3 | prometheus: {enabled: false}
              |              ^^^^^^^
          = known: `scrape_interval`, `evaluation_interval`, `url`, `series_budget`, `scrape`, `discovery`, `alertmanagers`, `target_labels`
        """,
    ),
    "a URL with credentials": (
        "notifications: {receivers: {t: {webhook: {url: 'http://user:hunter2@host/'}}}, default: t}",
        """
        observe.yaml:3:48: error: `url`: expected an http or https URL, got `http://************@host/` [spec/type]
            3 | notifications: {receivers: {t: {webhook: {url: 'http://************@host/'}}}, default: t}
              |                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = credentials don't belong in the spec; refer to a secret instead
        """,
    ),
    "a secret on the line of another slip": (
        "notifications: {receivers: {t: {webhook: {bearer_token: hunter2, url: 'http://a'}}}, default: t}",
        """
        observe.yaml:3:43: error: unknown key `bearer_token` in `webhook` [spec/unknown-key]
            3 | notifications: {receivers: {t: {webhook: {bearer_token: ****************************************
              |                                           ^^^^^^^^^^^^
          = known: `url`, `url_file`, `credentials_file`, `send_resolved`
        """,
    ),
}
