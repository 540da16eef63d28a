"""What is a secret in a text, and what is none."""

from __future__ import annotations

import pytest
from redaction_samples import BASIC, HEX, HUNTER, MIXED, PEM, PEM_BODY, SECRETS, UPPER, run

from autogpt_observe.runtime.redaction import build_redactor
from autogpt_observe.secrets.findings import Finding
from autogpt_observe.secrets.kinds import FORMATS, KINDS
from autogpt_observe.secrets.scanner import Scanner

REDACTOR = build_redactor(None)
EACH = [(kind, secret) for kind, secrets in SECRETS.items() for secret in secrets]


def test_there_is_a_sample_of_every_format() -> None:
    formats = {format_.kind for format_ in FORMATS} - {"webhook-url"}
    assert SECRETS.keys() - {"email"} == formats
    assert len(set(KINDS)) == len(KINDS)


@pytest.mark.parametrize(("kind", "secret"), EACH, ids=[kind for kind, _ in EACH])
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "the call with {} failed",
        "({})",
        '"{}"',
        "first line\n{}\nlast line",
        "repr: 'first\\n{}\\nlast'",
        "\x1b[31m{}\x1b[0m",
        "{},{}",
        "https://example.com/a?x={}&y=1",
        "https://example.com/{}?b",
    ],
)
def test_a_secret_is_replaced_by_its_kind(kind: str, secret: str, around: str) -> None:
    text = around.replace("{}", secret)
    expected = around.replace("{}", f"[redacted:{kind}]")
    assert REDACTOR.text(text) == expected


@pytest.mark.parametrize("secret", [secret for kind, secret in EACH if kind != "email"])
def test_what_is_much_shorter_than_a_secret_is_none(secret: str) -> None:
    assert REDACTOR.text(f"see {secret[:9]} there") == f"see {secret[:9]} there"


NAMED = {
    f"password={HUNTER}": "password=[redacted:password]",
    f"password={HUNTER}, user=ada": "password=[redacted:password], user=ada",
    f"Config(password={HUNTER}, user=ada)": "Config(password=[redacted:password], user=ada)",
    f"password = '{HUNTER} and more' # x": "password = '[redacted:password]' # x",
    f"DB_PASSWORD={HUNTER}": "DB_PASSWORD=[redacted:password]",
    f"dbPassword: {HUNTER}": "dbPassword: [redacted:password]",
    f"pgpassword={HUNTER}": "pgpassword=[redacted:password]",
    f"password1={HUNTER}": "password1=[redacted:password]",
    f"password_confirmation={HUNTER}": "password_confirmation=[redacted:password]",
    f"user[password]={HUNTER}": "user[password]=[redacted:password]",
    f"password=abc,{HUNTER}": "password=[redacted:password]",
    f"password=ab&{HUNTER} next": "password=[redacted:password] next",
    f"a?api_key={HUNTER}&b=1": "a?api_key=[redacted:api-key]&b=1",
    f"x-api-key: {HUNTER}": "x-api-key: [redacted:api-key]",
    f"token=b'{HUNTER}'": "token=b'[redacted:token]'",
    f"'token' => \"{HUNTER}\"": "'token' => \"[redacted:token]\"",
    f"token := {HUNTER}": "token := [redacted:token]",
    f"client_secret={HUNTER}": "client_secret=[redacted:secret]",
    f"SecretAccessKey={HUNTER}": "SecretAccessKey=[redacted:secret]",
    f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={HUNTER};EndpointSuffix=b": (
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=[redacted:secret];EndpointSuffix=b"
    ),
    f"?sv=1&X-Amz-Signature={HEX}": "?sv=1&X-Amz-Signature=[redacted:signature]",
    f"?sv=2024&sig={MIXED}%3D&se=1": "?sv=2024&sig=[redacted:signature]&se=1",
    f'{{"password":"{HUNTER}","a":1}}': '{"password":"[redacted:password]","a":1}',
    f'{{"password": "a \\" {HUNTER}", "a": 1}}': '{"password": "[redacted:password]", "a": 1}',
    f'"{{\\"password\\": \\"{HUNTER}\\", \\"a\\": 1}}"': (
        '"{\\"password\\": \\"[redacted:password]\\", \\"a\\": 1}"'
    ),
    f'\\\\\\"password\\\\\\": \\\\\\"{HUNTER}\\\\\\"': (
        '\\\\\\"password\\\\\\": \\\\\\"[redacted:password]\\\\\\"'
    ),
    f'{{"password": "{HUNTER} cut short': '{"password": "[redacted:password]',
    f"password='{HUNTER} cut\nshort": "password='[redacted:password]\nshort",
    f"api_keys=['{HUNTER}', 'b']": "api_keys=[redacted:api-key]",
    f"<Password>{HUNTER}</Password>": "<Password>[redacted:password]</Password>",
    f"run --password {HUNTER} --fast": "run --password [redacted:password] --fast",
    f"['run', '--api-key', '{HUNTER}']": "['run', '--api-key', '[redacted:api-key]']",
    f"[('x-api-key', '{HUNTER}')]": "[('x-api-key', '[redacted:api-key]')]",
    f"[(b'cookie', b'{HUNTER}')]": "[(b'cookie', b'[redacted:cookie]')]",
    f"Authorization: Bearer {HUNTER}": "Authorization: [redacted:authorization]",
    f"Authorization: {HUNTER}": "Authorization: [redacted:authorization]",
    f"authorization=Basic {BASIC} x=1": "authorization=[redacted:authorization] x=1",
    f"curl -H 'Authorization: Token {HUNTER}' http://a": (
        "curl -H 'Authorization: [redacted:authorization]' http://a"
    ),
    f"Authorization: Digest username=a, response={HEX}\nHost: a": (
        "Authorization: [redacted:authorization]\nHost: a"
    ),
    f"Cookie: session={HUNTER}; theme=dark\nHost: a": "Cookie: [redacted:cookie]\nHost: a",
    f"sent Bearer {MIXED}{MIXED} to it": "sent Bearer [redacted:bearer-token] to it",
    f"sent Basic {BASIC} to it": "sent Basic [redacted:basic-auth] to it",
    f"postgres://ada:{HUNTER}@db:5432/x": "postgres://[redacted:url-credentials]@db:5432/x",
    f"redis://:{HUNTER}@cache/0": "redis://[redacted:url-credentials]@cache/0",
    f"mysql://ada:a@b/{HUNTER}@db/x": "mysql://[redacted:url-credentials]@db/x",
    f"https://{MIXED}@git.example.com/a.git": "https://[redacted:url-credentials]@git.example.com/a.git",
    f"https://hooks.slack.com/services/T0/B0/{MIXED}": (
        "https://hooks.slack.com/services/[redacted:webhook-url]"
    ),
    f"key\n{PEM}\nend": "key\n[redacted:private-key]\nend",
    f'{{"k": "{PEM}"}}'.replace("\n", "\\n"): '{"k": "[redacted:private-key]"}',
    PEM[:150] + "...": "[redacted:private-key]",
    f"{PEM_BODY}-----END {'PRIVATE'} KEY-----": "[redacted:private-key]",
    f"{'AK' + 'IA' + UPPER}\t{run(MIXED, 40)}": (
        "[redacted:aws-access-key-id]\t[redacted:aws-secret-access-key]"
    ),
    f"password: {HUNTER}": "password: [redacted:password]",
    "password: letmein": "password: [redacted:password]",
    f"the token: {HUNTER}": "the token: [redacted:token]",
}


@pytest.mark.parametrize("text", NAMED)
def test_a_secret_is_known_by_what_stands_around_it(text: str) -> None:
    assert REDACTOR.text(text) == NAMED[text]
    assert REDACTOR.text(NAMED[text]) == NAMED[text]


CLEAN = (
    "",
    "Finished step fetch_page for https://example.com/docs/a?x=1 in 1.23s (tokens=1532)",
    "max_tokens=512 token_count=3 tokens: 12 input_tokens=4 total_tokens: 9 tokens_total=1",
    '{"max_tokens": 512, "usage": {"prompt_tokens": 9}, "token_type": "bearer"}',
    "eos_token='</s>' next_page_token=abc time_per_output_token=0.03",
    "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 on main",
    "id 550e8400-e29b-41d4-a716-446655440000, trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "cursor eyJvZmZzZXQiOjEwMCwibGltaXQiOjUwfQ==",
    "http://localhost:8080/a/b?c=d#e and http://[::1]:9464/metrics",
    "https://example.com:8443/@user/post?to=@all",
    "ssh://git@github.com/a/b.git and git@github.com:a/b.git",
    "/usr/lib/python3.11/site-packages/openai/_base_client.py:1043",
    "C:\\Users\\ada\\project\\keys\\public.pem",
    "gpt-4o-mini-2024-07-18 claude-3-5-sonnet-20241022 gemini-1.5-pro text-embedding-3-large",
    "mistralai/Mixtral-8x7B-Instruct-v0.1 sk-learn task-abcdefghijklmnopqrstuvwxyz",
    "risk-based-assessment-of-third-party-suppliers disk-encryption-at-rest",
    "hf_hub_download_timeout_in_seconds npm_config_registry_override_for_packages",
    "Invalid token: unexpected end of input",
    "the secret: patience, and the password: must be changed",
    "Enter password:",
    "the signature=valid, sig=SIGTERM, fits the signature: f(a, b)",
    "password=None api_key=null token='' secret=",
    "Bearer authentication is required; Basic authentication is not offered",
    "author=ada key=value keyboard=qwerty monkey: 3 primary_key=17 cache_key=page:3",
    "secret_name=db-credentials password_length=12 api_key_id=3 tokenizer=cl100k",
    "@obs.agent decorates; user@host is no address; a @ b",
    "pkg@1.2.3 and image@sha256",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCARyg\n-----END CERTIFICATE-----",
    "2026-11-20T10:00:00.123Z INFO a.b.c: step 3/7 (42.5%) -> done; x == y, z != w",
    "for x in y: z[key] = x  # a: b",
    '{"a": {"b": [1, 2.5, null, true]}, "c": "d-e_f.g"}',
    "Ünïcödé: 日本語 — “quotes” … \U0001f600",
)


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert REDACTOR.text(text) is text


def test_what_was_redacted_for_another_reason_is_left_as_it_is() -> None:
    for text in ('"password": "[redacted:jwt]"', "token=[redacted:jwt], a", "[redacted:token]=a"):
        assert REDACTOR.text(text) is text


def test_findings_that_overlap_are_one() -> None:
    key = SECRETS["openai-api-key"][0]
    text = f"http://ada:{key}@host/"
    assert Scanner(KINDS).find(text) == [Finding("url-credentials", 7, len(text) - 6)]


def test_no_placeholder_hides_a_secret() -> None:
    assert REDACTOR.text(f"password=[redacted:x]{HUNTER}") == "password=[redacted:password]"
    assert HUNTER not in REDACTOR.text(f"password='[redacted:x]{HUNTER}'")


def test_a_secret_inside_a_longer_one_is_replaced_with_it() -> None:
    key = SECRETS["openai-api-key"][0]
    assert REDACTOR.text(f"http://ada:{key}@host/") == "http://[redacted:url-credentials]@host/"
    assert REDACTOR.text(f"password={key}") == "password=[redacted:password]"
