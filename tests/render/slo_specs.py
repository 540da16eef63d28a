"""Specs with service level objectives: one for each way to count, group and judge."""

from __future__ import annotations

HEAD = """
version: 1
service: {name: crawler, owner: agents-team, runbook_base_url: 'https://runbooks.example.org'}
buckets: {run_time: [1s, 30s, 2h]}
attributes:
  agent: {help: Agent name, max_values: 50}
  site: {help: Site that was read, values: [docs, web]}
  outcome: {help: How a run ended, values: [success, error, max_steps]}
metrics:
  crawler_runs_total:
    {type: counter, from: code, attributes: [agent, outcome], help: Runs that ended}
  crawler_pages_total: {type: counter, from: code, attributes: [site], help: Pages read}
  crawler_page_failures_total: {type: counter, from: code, attributes: [site], help: Not read}
  crawler_run_duration_seconds:
    {type: histogram, from: code, unit: seconds, buckets: run_time, attributes: [agent], help: Time}
  gateway_requests_total: {type: counter, from: external, labels: [code, zone], help: Requests}
  gateway_latency: {type: histogram, from: external, labels: [zone], help: Latency}
slos:
"""
RUNS = """
  agent-runs:
    objective: 99.5%
    window: 30d
    events:
      bad: {metric: crawler_runs_total, where: {outcome: [error, max_steps]}}
      total: {metric: crawler_runs_total}
    by: [agent]
    min_events: 20
"""
RUN_TIME = """
  run-time:
    objective: 99%
    window: 7d
    latency: {metric: crawler_run_duration_seconds, within: 30s}
    by: [agent]
    help: Runs end within half a minute
    owner: crawl-team
    labels: {tier: batch}
    runbook: {steps: [Look at the queue]}
"""
PAGES = """
  pages:
    objective: 99.9%
    window: 28d
    events: {bad: {metric: crawler_page_failures_total}, total: {metric: crawler_pages_total}}
"""
GATEWAY = """
  gateway:
    objective: 99.99%
    window: 90d
    events:
      bad: {metric: gateway_requests_total, where: {code: ['500', '503'], zone: [a, b]}}
      total: {metric: gateway_requests_total, where: {zone: [a, b]}}
    by: [zone, job]
"""
GATEWAY_TIME = """
  gateway-time:
    objective: 95%
    window: 30d
    latency: {metric: gateway_latency, within: 2, where: {zone: [a]}}
    min_events: 1000
"""
HALF_REACHABLE = """
  best-effort:
    objective: 90%
    window: 30d
    events: {bad: {metric: crawler_page_failures_total}, total: {metric: crawler_pages_total}}
"""
DECLARED = f"""{PAGES}
alerts:
  PagesBurnTwice:
    when: {{burn: {{slo: pages, long: 12h, short: 1h, factor: 2}}}}
    for: 5m
    keep_firing_for: 30m
    severity: info
    annotations:
      summary: 'Burns: {{{{ $value | humanizePercentage }}}} of {{{{ $labels.slo }}}}'
  PagesBurnNarrow:
    when: {{burn: {{slo: pages, long: 40m, short: 30m, factor: 900}}}}
    severity: info
    annotations: {{summary: Nearly everything fails}}
  PagesBurnAtAll:
    when: {{burn: {{slo: pages, long: 28d, short: 1d, factor: 1}}}}
    severity: info
    annotations: {{summary: The budget will not last}}
"""
OBJECTIVES = {
    "runs": RUNS,
    "run_time": RUN_TIME,
    "pages": PAGES,
    "gateway": GATEWAY,
    "gateway_time": GATEWAY_TIME,
    "half_reachable": HALF_REACHABLE,
    "declared": DECLARED,
}
