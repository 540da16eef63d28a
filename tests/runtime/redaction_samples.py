"""A secret of each kind, put together here so that no scanner of secrets takes it for one.

None was ever valid: each is a prefix and the same few characters over and over.
"""

from __future__ import annotations

import base64

HEX = "0a1b2c3d4e5f6789"
MIXED = "aB3dE5gH7jK9mN1pQ"
DIGITS = "1234567890"


def run(of: str, length: int) -> str:
    """``length`` characters of a repeated text."""
    return (of * (length // len(of) + 1))[:length]


UPPER = run("A2B3C4D5", 16)
SECRETS = {
    "anthropic-api-key": ("sk-ant-" + "api03-" + run(MIXED, 93) + "AA",),
    "openrouter-api-key": ("sk-or-" + "v1-" + run(HEX, 64),),
    "langfuse-secret-key": ("sk-lf-" + "-".join((run(HEX, 8), run(HEX, 4), run(HEX, 12))),),
    "openai-api-key": (
        "sk-" + "proj-" + run(MIXED, 74) + "_-" + run(MIXED, 40),
        "sk-" + "svcacct-" + run(MIXED, 60),
        "sk-" + "a" * 48,
        "sk-" + "team-" + run(MIXED, 40),
    ),
    "google-api-key": ("AI" + "za" + run(MIXED, 35),),
    "groq-api-key": ("gsk" + "_" + run(MIXED, 52),),
    "huggingface-token": ("hf" + "_" + run(MIXED, 34), "api" + "_org_" + run(MIXED, 34)),
    "replicate-api-token": ("r8" + "_" + run(MIXED, 37),),
    "xai-api-key": ("xai" + "-" + run(MIXED, 80),),
    "perplexity-api-key": ("pplx" + "-" + run(MIXED, 48),),
    "nvidia-api-key": ("nvapi" + "-" + run(MIXED, 64),),
    "cerebras-api-key": ("csk" + "-" + run(HEX, 48),),
    "fireworks-api-key": ("fw" + "_" + run(MIXED, 24),),
    "together-api-key": ("tgp" + "_v1_" + run(MIXED, 43),),
    "voyage-api-key": ("pa" + "-" + run(MIXED, 43),),
    "jina-api-key": ("jina" + "_" + run(MIXED, 60),),
    "tavily-api-key": ("tvly" + "-dev-" + run(MIXED, 32),),
    "pinecone-api-key": ("pcsk" + "_" + run(MIXED, 70),),
    "langsmith-api-key": ("lsv2" + "_pt_" + run(HEX, 32) + "_" + run(HEX, 10),),
    "aws-access-key-id": ("AK" + "IA" + UPPER, "AS" + "IA" + UPPER),
    "gcp-oauth-token": ("ya29" + "." + run(MIXED, 120),),
    "gcp-client-secret": ("GOCSPX" + "-" + run(MIXED, 28),),
    "azure-client-secret": ("abc8" + "Q~" + run(MIXED, 34),),
    "azure-api-key": (run(MIXED, 52) + "JQQ" + "J99" + run(MIXED, 26),),
    "alibaba-access-key-id": ("LT" + "AI" + run(MIXED, 20),),
    "digitalocean-token": ("dop" + "_v1_" + run(HEX, 64), "doo" + "_v1_" + run(HEX, 64)),
    "heroku-api-key": ("HRKU" + "-AA" + run(MIXED, 58),),
    "flyio-token": ("fo1" + "_" + run(MIXED, 43), "fm2" + "_" + run(MIXED, 100)),
    "pulumi-token": ("pul" + "-" + run(HEX, 40),),
    "supabase-key": ("sbp" + "_" + run(HEX, 40), "sb" + "_secret_" + run(MIXED, 31)),
    "planetscale-token": ("pscale" + "_tkn_" + run(MIXED, 43), "pscale" + "_pw_" + run(MIXED, 43)),
    "openshift-token": ("sha256" + "~" + run(MIXED, 43),),
    "vault-token": ("hvs" + "." + run(MIXED, 95), "hvb" + "." + run(MIXED, 150)),
    "terraform-token": (run(MIXED, 14) + ".atlas" + "v1." + run(MIXED, 67),),
    "doppler-token": ("dp" + ".pt." + run(MIXED, 43),),
    "age-secret-key": ("AGE-SECRET" + "-KEY-1" + run("QPZRY9X8", 58),),
    "1password-token": ("ops" + "_eyJ" + run(MIXED, 250),),
    "github-token": (
        *("gh" + letter + "_" + run(MIXED, 36) for letter in "pousr"),
        "github" + "_pat_" + run(MIXED, 22) + "_" + run(MIXED, 59),
    ),
    "gitlab-token": (
        "glpat" + "-" + run(MIXED, 20),
        "gldt" + "-" + run(MIXED, 20),
        "glcbt" + "-1_" + run(MIXED, 20),
        "GR13" + "48941" + run(MIXED, 20),
        "glpat" + "-" + run(MIXED, 27) + ".01." + run(HEX, 9),
    ),
    "atlassian-token": ("ATATT3" + "xFfGF0" + run(MIXED, 180) + "=A1B2C3D4",),
    "npm-token": ("npm" + "_" + run(MIXED, 36),),
    "pypi-token": ("pypi" + "-AgEIcHlwaS5vcmc" + run(MIXED, 60),),
    "rubygems-token": ("rubygems" + "_" + run(HEX, 48),),
    "clojars-token": ("CLOJARS" + "_" + run(HEX, 60),),
    "slack-token": (
        "xox" + "b-" + DIGITS + "-" + DIGITS + "-" + run(MIXED, 24),
        "xox" + "e.xox" + "p-1-" + run(MIXED, 163),
        "xapp" + "-1-A0-" + DIGITS + "-" + run(HEX, 64),
    ),
    "telegram-bot-token": (DIGITS + ":AA" + run(MIXED, 33),),
    "sendgrid-key": ("SG" + "." + run(MIXED, 22) + "." + run(MIXED, 43),),
    "sendinblue-key": ("xkeysib" + "-" + run(HEX, 64) + "-" + run(MIXED, 16),),
    "mailgun-key": ("key" + "-" + run(HEX, 32),),
    "twilio-api-key": ("SK" + run(HEX, 32),),
    "stripe-key": ("sk" + "_live_" + run(MIXED, 24), "rk" + "_test_" + run(MIXED, 24)),
    "webhook-secret": ("whsec" + "_" + run(MIXED, 32),),
    "square-token": ("sq0atp" + "-" + run(MIXED, 22),),
    "shopify-token": ("shpat" + "_" + run(HEX, 32), "shpss" + "_" + run(HEX, 32)),
    "shippo-token": ("shippo" + "_live_" + run(HEX, 40),),
    "grafana-token": (
        "glsa" + "_" + run(MIXED, 32) + "_" + run(HEX, 8),
        "glc" + "_" + run(MIXED, 80),
    ),
    "newrelic-key": ("NRAK" + "-" + run(MIXED, 27).upper(),),
    "sentry-token": ("sntryu" + "_" + run(HEX, 64), "sntrys" + "_eyJ" + run(MIXED, 90)),
    "dynatrace-token": ("dt0c01" + "." + run(MIXED, 24).upper() + "." + run(MIXED, 64).upper(),),
    "linear-key": ("lin" + "_api_" + run(MIXED, 40),),
    "notion-token": ("ntn" + "_" + run(DIGITS, 11) + run(MIXED, 35),),
    "postman-key": ("PMAK" + "-" + run(HEX, 24) + "-" + run(HEX, 34),),
    "prefect-key": ("pnu" + "_" + run(MIXED, 36),),
    "readme-key": ("rdme" + "_" + run(HEX, 70),),
    "figma-token": ("figd" + "_" + run(MIXED, 40),),
    "jwt": ("eyJ" + run(MIXED, 30) + ".eyJ" + run(MIXED, 60) + "." + run(MIXED, 43),),
    "email": ("ada.lovelace+test@mail.example.com", "jörg@müller.de", "a%40example.org"),
}
"""For each kind whose secrets are known by themselves: some of them."""

PEM_BODY = "\n".join(run(MIXED + "+/", 64) for _ in range(4)) + "\n"
PEM = f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{PEM_BODY}-----END RSA {'PRIVATE'} KEY-----"
BASIC = base64.b64encode(b"ada:hun" + b"ter2-hunter2").decode()
HUNTER = "hun" + "ter2!"
