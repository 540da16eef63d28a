"""Names that say their value is a secret: of fields, headers, settings, parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

KEY_NAMES = {
    "password": "password passwords passwd pwd passphrase passcode user_pass db_pass smtp_pass"
    " mysql_pass redis_pass ssh_pass otp totp",
    "api-key": "api_key api_keys apikey apikeys subscription_key app_key consumer_key",
    "token": "token accesstoken authtoken access_tokens api_tokens auth_tokens refresh_tokens jwt",
    "private-key": "private_key private_keys privatekey",
    "secret": "secret secrets secret_key secret_keys secretkey shared_key account_key access_key"
    " access_keys accesskey shared_access_signature signing_key encryption_key decryption_key"
    " master_key auth_key hmac_key symmetric_key session_key ssh_key deploy_key service_key"
    " webhook_key storage_key fernet_key license_key client_key",
    "signature": "x_amz_signature x_goog_signature",
    "authorization": "authorization basic_auth http_auth proxy_auth",
    "cookie": "cookie cookies",
    "credentials": "credential credentials creds connection_string conn_str",
}
"""For each kind, the words such a name ends in; `_` parts words that may be written in any way."""

_QUERY_NAMES = frozenset({"sig", "signature"})
"""Parameters of signed addresses; elsewhere these words mean other things too."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GLUED = re.compile(r"(?:.+)(password|passwd|passphrase|apikey|secretkey|accesstoken|authtoken)")
_QUALIFIERS = frozenset({"hash", "confirmation", "confirm"})
"""What is still a secret with such a word behind it: `password_confirmation`."""
_PIECE_OF_TEXT = (
    " per first last next page continuation sync resume eos bos pad unk sep cls mask special stop"
    " start end begin input output prompt completion image audio draft decoder forced "
)
"""A `token` behind one of these is a piece of text or a place in a list, not a secret."""
_REDACTED = "[redacted:"
"""Begins a placeholder, whose kind is no name of a field."""
_LONGEST = 120
_ENDING = 6
"""Letters of a name's end that the first look at a text compares."""
_NOT_IN_TEXTS = frozenset({"tokens", "string", "str"})
"""Common in texts, as in `tokens=12`; the few such names count where they are fields only."""


class KeyNames:
    """Tells what kind of secret a name stands for.

    Args:
        kinds: the kinds that count.
        further: names to add, and the kind each is of.
    """

    def __init__(self, *, kinds: Collection[str], further: Iterable[tuple[str, str]] = ()) -> None:
        names = [
            (name, kind)
            for kind, listed in KEY_NAMES.items()
            if kind in kinds
            for name in listed.split()
        ]
        self._kinds = {tuple(_telling(name)): kind for name, kind in (*names, *further)}
        self._kinds.pop((), None)
        self._signature = "signature" if "signature" in kinds else None
        self._longest = max(map(len, self._kinds), default=0)

    def kind(self, name: str) -> str | None:
        """The kind of the value under ``name``, or None where the name says nothing.

        The words at the end of a name count, however they are parted: `db.password`, `X-Api-Key`,
        `clientSecret`. Whole words do: `max_tokens` is none.
        """
        if _REDACTED in name:
            return None
        words = _telling(name[-_LONGEST:])
        for length in range(min(self._longest, len(words)), 0, -1):
            kind = self._kinds.get(tuple(words[-length:]))
            if kind is not None:
                return None if _is_piece_of_text(words) else kind
        glued = _GLUED.fullmatch(words[-1]) if words else None
        return self._kinds.get((glued[1],)) if glued else None

    def kind_in_query(self, name: str) -> str | None:
        """As `kind`, for the name of a parameter of an address."""
        return self._signature if name.lower() in _QUERY_NAMES else self.kind(name)

    def endings(self) -> list[str]:
        """What a name in a text ends in, in lower case; one that ends in none says nothing."""
        last = {words[-1] for words in self._kinds} - _NOT_IN_TEXTS
        last |= _QUERY_NAMES if self._signature is not None else set()
        ends = {word[-_ENDING:] for word in (last | _QUALIFIERS if last else last)}
        return sorted(end for end in ends if not any(end[at:] in ends for at in range(1, len(end))))


def split_words(name: str) -> list[str]:
    """The words of a name in lower case: `X-Api-Key`, `x_api_key` and `xApiKey` have three."""
    return [word.lower() for word in _WORD.findall(name)]


def _telling(name: str) -> list[str]:
    words = split_words(name)
    while words and (words[-1].isdigit() or words[-1] in _QUALIFIERS):
        words.pop()
    return words


def _is_piece_of_text(words: list[str]) -> bool:
    return words[-1] == "token" and len(words) > 1 and f" {words[-2]} " in _PIECE_OF_TEXT
