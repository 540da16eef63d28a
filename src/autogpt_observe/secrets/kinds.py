"""The secrets that are known by their format: one table for the spec's findings and the runtime.

The formats follow the rules of gitleaks (https://github.com/gitleaks/gitleaks, MIT licence, file
`config/gitleaks.toml`); each row names the rules it stands for, and `()` marks a format taken from
the provider. They ask for fewer characters than gitleaks does: a log may cut a key short, and a
provider may lengthen it. Every quantifier is bounded, or possessive with nothing behind it to
backtrack for, so that a match costs no more than the text it reads.
"""

from __future__ import annotations

from typing import NamedTuple

from autogpt_observe.secrets.keys import KEY_NAMES

EMAIL = "email"
URL_CREDENTIALS = "url-credentials"
PRIVATE_KEY = "private-key"
AWS_KEY_ID = "aws-access-key-id"
AWS_SECRET = "aws-secret-access-key"  # noqa: S105 - the name of a kind
BEARER = "bearer-token"
BASIC = "basic-auth"
CUSTOM_KEY = "custom-key"


class Format(NamedTuple):
    """How the secrets of one kind are written.

    Attributes:
        kind: its name, which stands in place of the secret.
        literals: every such secret holds one of these.
        pattern: the whole secret, as a regular expression.
        rules: the rules of gitleaks that it stands for.
        whole: a letter or digit before it rules it out; for literals that end common words.
        offsets: where in the secret the literal may stand.
    """

    kind: str
    literals: tuple[str, ...]
    pattern: str
    rules: tuple[str, ...] = ()
    whole: bool = False
    offsets: tuple[int, ...] = (0,)


_LONG = r"[A-Za-z0-9_-]"
_MIXED = rf"(?!ant-|or-|lf-)(?={_LONG}{{0,80}}\d)(?={_LONG}{{0,80}}[A-Z]){_LONG}{{32,}}+"
_GITLAB = tuple(
    f"gl{what}-"
    for what in ("pat", "dt", "ft", "rt", "ptt", "soat", "ffct", "imt", "agent", "oas", "cbt")
)
_SLACK = tuple(f"xox{letter}-" for letter in "abeoprs")

FORMATS = (
    # Model providers, and what agents call beside them
    Format(
        "anthropic-api-key",
        ("sk-ant-",),
        rf"sk-ant-{_LONG}{{16,}}+",
        ("anthropic-api-key", "anthropic-admin-api-key"),
    ),
    Format("openrouter-api-key", ("sk-or-",), rf"sk-or-{_LONG}{{16,}}+"),
    Format("langfuse-secret-key", ("sk-lf-",), rf"sk-lf-{_LONG}{{16,}}+"),
    Format(
        "openai-api-key",
        ("sk-",),
        rf"sk-(?:(?:proj|svcacct|admin|None)-{_LONG}{{16,}}+|[A-Za-z0-9]{{20,}}+|{_MIXED})",
        ("openai-api-key",),
        whole=True,
    ),
    Format("google-api-key", ("AIza",), rf"AIza{_LONG}{{30,}}+", ("gcp-api-key",)),
    Format("groq-api-key", ("gsk_",), r"gsk_[A-Za-z0-9]{32,}+"),
    Format(
        "huggingface-token",
        ("hf_", "api_org_"),
        r"(?:hf|api_org)_[A-Za-z0-9]{30,}+",
        ("huggingface-access-token", "huggingface-organization-api-token"),
        whole=True,
    ),
    Format("replicate-api-token", ("r8_",), r"r8_[A-Za-z0-9]{30,}+", whole=True),
    Format("xai-api-key", ("xai-",), r"xai-[A-Za-z0-9]{40,}+", whole=True),
    Format("perplexity-api-key", ("pplx-",), r"pplx-[A-Za-z0-9]{32,}+", ("perplexity-api-key",)),
    Format("nvidia-api-key", ("nvapi-",), rf"nvapi-{_LONG}{{32,}}+"),
    Format("cerebras-api-key", ("csk-",), r"csk-[A-Za-z0-9]{32,}+", whole=True),
    Format("fireworks-api-key", ("fw_",), r"fw_[A-Za-z0-9]{20,}+", whole=True),
    Format("together-api-key", ("tgp_v1_",), rf"tgp_v1_{_LONG}{{32,}}+"),
    Format("voyage-api-key", ("pa-",), rf"pa-{_LONG}{{40,}}+", whole=True),
    Format("jina-api-key", ("jina_",), r"jina_[A-Za-z0-9_]{40,}+", whole=True),
    Format("tavily-api-key", ("tvly-",), rf"tvly-{_LONG}{{24,}}+"),
    Format("pinecone-api-key", ("pcsk_",), r"pcsk_[A-Za-z0-9_]{40,}+"),
    Format("langsmith-api-key", ("lsv2_",), r"lsv2_[A-Za-z0-9_]{32,}+"),
    # Clouds
    Format(
        AWS_KEY_ID,
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        ("aws-access-token",),
        whole=True,
    ),
    Format("gcp-oauth-token", ("ya29.",), r"ya29\.[A-Za-z0-9_-]{20,}+"),
    Format("gcp-client-secret", ("GOCSPX-",), rf"GOCSPX-{_LONG}{{20,}}+"),
    Format(
        "azure-client-secret",
        ("Q~",),
        r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])",
        ("azure-ad-client-secret",),
        offsets=(4,),
    ),
    Format(
        "azure-api-key",
        ("JQQJ99",),
        r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26,30}+(?:==)?+",
        offsets=(52,),
    ),
    Format(
        "alibaba-access-key-id", ("LTAI",), r"LTAI[A-Za-z0-9]{16,}+", ("alibaba-access-key-id",)
    ),
    Format(
        "digitalocean-token",
        ("doo_v1_", "dop_v1_", "dor_v1_"),
        r"do[opr]_v1_[a-f0-9]{32,}+",
        ("digitalocean-access-token", "digitalocean-pat", "digitalocean-refresh-token"),
    ),
    Format("heroku-api-key", ("HRKU-AA",), rf"HRKU-AA{_LONG}{{40,}}+", ("heroku-api-key-v2",)),
    Format(
        "flyio-token",
        ("fo1_", "fm2_"),
        r"f(?:o1|m2)_[A-Za-z0-9+/_=-]{40,}+",
        ("flyio-access-token",),
    ),
    Format("pulumi-token", ("pul-",), r"pul-[a-f0-9]{40,}+", ("pulumi-api-token",), whole=True),
    Format(
        "supabase-key", ("sbp_", "sb_secret_"), r"sb(?:p|_secret)_[A-Za-z0-9_]{20,}+", whole=True
    ),
    Format(
        "planetscale-token",
        ("pscale_tkn_", "pscale_oauth_", "pscale_pw_"),
        r"pscale_(?:tkn|oauth|pw)_[\w=.-]{24,}+",
        ("planetscale-api-token", "planetscale-oauth-token", "planetscale-password"),
    ),
    Format("openshift-token", ("sha256~",), rf"sha256~{_LONG}{{40,}}+", ("openshift-user-token",)),
    # Keepers of secrets
    Format(
        "vault-token",
        ("hvs.", "hvb.", "hvr."),
        rf"hv[sbr]\.{_LONG}{{24,}}+",
        ("vault-batch-token", "vault-service-token"),
    ),
    Format(
        "terraform-token",
        (".atlasv1.",),
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}+",
        ("hashicorp-tf-api-token",),
        offsets=(14,),
    ),
    Format(
        "doppler-token",
        ("dp.pt.", "dp.st.", "dp.sa.", "dp.ct."),
        r"dp\.(?:pt|st|sa|ct)\.[A-Za-z0-9_.-]{40,}+",
        ("doppler-api-token",),
    ),
    Format(
        "age-secret-key",
        ("AGE-SECRET-KEY-1",),
        r"AGE-SECRET-KEY-1[A-Z0-9]{16,}+",
        ("age-secret-key",),
    ),
    Format(
        "1password-token",
        ("ops_eyJ",),
        r"ops_eyJ[A-Za-z0-9+/]{40,}+={0,3}",
        ("1password-service-account-token",),
    ),
    # Code hosts and package registries
    Format(
        "github-token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_\w{20,}+",
        (
            "github-pat",
            "github-oauth",
            "github-app-token",
            "github-refresh-token",
            "github-fine-grained-pat",
        ),
    ),
    Format(
        "gitlab-token",
        (*_GITLAB, "GR1348941"),
        r"gl(?:pat|dt|ft|rt|ptt|soat|ffct|imt|agent|oas|cbt)-[\w.-]{20,}+|GR1348941[\w-]{20,}+",
        (
            "gitlab-pat",
            "gitlab-pat-routable",
            "gitlab-deploy-token",
            "gitlab-feed-token",
            "gitlab-runner-authentication-token",
            "gitlab-runner-authentication-token-routable",
            "gitlab-ptt",
            "gitlab-scim-token",
            "gitlab-feature-flag-client-token",
            "gitlab-incoming-mail-token",
            "gitlab-kubernetes-agent-token",
            "gitlab-oauth-app-secret",
            "gitlab-cicd-job-token",
            "gitlab-rrt",
        ),
    ),
    Format(
        "atlassian-token", ("ATATT3xFfGF0",), r"ATATT3xFfGF0[\w=-]{40,}+", ("atlassian-api-token",)
    ),
    Format("npm-token", ("npm_",), r"npm_[A-Za-z0-9]{30,}+", ("npm-access-token",), whole=True),
    Format("pypi-token", ("pypi-AgE",), r"pypi-AgE[\w-]{32,}+", ("pypi-upload-token",)),
    Format("rubygems-token", ("rubygems_",), r"rubygems_[a-f0-9]{32,}+", ("rubygems-api-token",)),
    Format("clojars-token", ("CLOJARS_",), r"CLOJARS_[a-z0-9]{40,}+", ("clojars-api-token",)),
    # Messages and mail
    Format(
        "slack-token",
        (*_SLACK, "xapp-"),
        r"(?:xoxe\.)?+xox[abeoprs]-[A-Za-z0-9-]{10,}+|xapp-[A-Za-z0-9-]{16,}+",
        (
            "slack-bot-token",
            "slack-user-token",
            "slack-app-token",
            "slack-config-access-token",
            "slack-config-refresh-token",
            "slack-legacy-bot-token",
            "slack-legacy-token",
            "slack-legacy-workspace-token",
        ),
        offsets=(5, 0),
    ),
    Format(
        "webhook-url",
        (
            "hooks.slack.",
            "discord.",
            "discordapp.",
            ".webhook.office.",
            "outlook.office.",
            ".pagerduty.",
        ),
        r"(?:hooks\.slack\.com/(?:services|triggers|workflows)/|discord(?:app)?\.com/api/webhooks/"
        r"|\.webhook\.office\.com/|outlook\.office\.com/webhook/|\.pagerduty\.com/integration/)"
        r"(?P<secret>(?!\[redacted:)[^\s'\"<>\\]++)",
        ("slack-webhook-url", "microsoft-teams-webhook"),
    ),
    Format(
        "telegram-bot-token",
        (":AA",),
        r"\d{5,16}:AA[A-Za-z0-9_-]{32,}+",
        ("telegram-bot-api-token",),
        offsets=tuple(range(16, 4, -1)),
    ),
    Format(
        "sendgrid-key", ("SG.",), r"SG\.[A-Za-z0-9_.=-]{40,}+", ("sendgrid-api-token",), whole=True
    ),
    Format(
        "sendinblue-key", ("xkeysib-",), r"xkeysib-[A-Za-z0-9-]{40,}+", ("sendinblue-api-token",)
    ),
    Format(
        "mailgun-key",
        ("key-",),
        r"key-[a-f0-9]{32}(?![A-Za-z0-9-])",
        ("mailgun-private-api-token",),
        whole=True,
    ),
    Format(
        "twilio-api-key",
        ("SK",),
        r"SK[0-9a-f]{32}(?![A-Za-z0-9])",
        ("twilio-api-key",),
        whole=True,
    ),
    # Payments and shops
    Format(
        "stripe-key",
        ("k_live_", "k_test_", "k_prod_"),
        r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}+",
        ("stripe-access-token",),
        offsets=(1,),
    ),
    Format("webhook-secret", ("whsec_",), r"whsec_[A-Za-z0-9+/=]{24,}+"),
    Format(
        "square-token",
        ("sq0atp-", "sq0csp-"),
        r"sq0[ac][ts]p-[\w-]{20,}+",
        ("square-access-token",),
    ),
    Format(
        "shopify-token",
        ("shpat_", "shpca_", "shppa_", "shpss_"),
        r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{24,}+",
        (
            "shopify-access-token",
            "shopify-custom-access-token",
            "shopify-private-app-access-token",
            "shopify-shared-secret",
        ),
    ),
    Format(
        "shippo-token",
        ("shippo_",),
        r"shippo_(?:live|test)_[a-fA-F0-9]{32,}+",
        ("shippo-api-token",),
    ),
    # Observability, and other services
    Format(
        "grafana-token",
        ("glsa_", "glc_"),
        r"glsa_[A-Za-z0-9_]{32,}+|glc_[A-Za-z0-9+/]{32,}+={0,3}",
        ("grafana-service-account-token", "grafana-cloud-api-token"),
    ),
    Format(
        "newrelic-key",
        ("NRAK-", "NRII-", "NRJS-"),
        r"NR(?:AK|II|JS)-[A-Za-z0-9-]{19,}+",
        ("new-relic-user-api-key", "new-relic-insert-key", "new-relic-browser-api-token"),
    ),
    Format(
        "sentry-token",
        ("sntrys_", "sntryu_"),
        r"sntry[su]_[A-Za-z0-9+/=_]{40,}+",
        ("sentry-org-token", "sentry-user-token"),
    ),
    Format(
        "dynatrace-token", ("dt0c01.",), r"dt0c01\.[A-Za-z0-9.]{40,}+", ("dynatrace-api-token",)
    ),
    Format("linear-key", ("lin_api_",), r"lin_api_[A-Za-z0-9]{32,}+", ("linear-api-key",)),
    Format("notion-token", ("ntn_",), r"ntn_[A-Za-z0-9]{40,}+", ("notion-api-token",)),
    Format("postman-key", ("PMAK-",), r"PMAK-[a-fA-F0-9-]{40,}+", ("postman-api-token",)),
    Format("prefect-key", ("pnu_",), r"pnu_[A-Za-z0-9]{32,}+", ("prefect-api-token",), whole=True),
    Format("readme-key", ("rdme_",), r"rdme_[a-z0-9]{40,}+", ("readme-api-token",)),
    Format("figma-token", ("figd_",), r"figd_[\w-]{32,}+"),
    # Formats of no one service
    Format(
        "jwt",
        ("eyJ",),
        r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]{4,}+){1,4}+\.?",
        ("jwt",),
    ),
)
"""Most special first where two share a literal."""

PLACES = {
    PRIVATE_KEY: ("private-key",),
    AWS_SECRET: (),
    BEARER: ("curl-auth-header",),
    BASIC: ("curl-auth-header",),
    URL_CREDENTIALS: ("sidekiq-sensitive-url",),
    EMAIL: (),
}
"""Kinds that are found by what stands around them, with the rules of gitleaks they cover."""

KINDS = (
    *(format_.kind for format_ in FORMATS),
    *PLACES,
    *(kind for kind in KEY_NAMES if kind not in PLACES),
)
"""The name of every built-in kind of secret."""
