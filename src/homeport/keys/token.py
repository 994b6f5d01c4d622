# SPDX-License-Identifier: Apache-2.0
"""PKCS#11 tokens: a module loaded once a process, one session for each token, behind a lock.

Rules that it keeps (PKCS #11 v3.0, sections 5.4 and 5.6):
- a module is initialised once for the whole process and *with* operating-system locks, so that
  another library in this process (the agent's MQTT) can share it; without them SoftHSM2 does no
  locking at all and two libraries corrupt its state. Open a key here before the other library
  initialises the module: `python-pkcs11` cannot join a module that somebody else initialised;
- a session that was lost (token reset, module finalised by another) is opened again, once; a
  wrong PIN is never tried twice, because tokens lock themselves.

`SOFTHSM2_CONF` must be in the environment before the first use: a module reads it once.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import pkcs11
from pkcs11 import exceptions

from homeport.errors import Code, HomeportError
from homeport.keys.uri import Pkcs11Uri

if TYPE_CHECKING:
    from pkcs11 import _pkcs11

Result = TypeVar("Result")

CKF_OS_LOCKING_OK: Final = 0x00000002
CKR_OK: Final = 0

LOST: Final = (
    exceptions.SessionHandleInvalid,
    exceptions.SessionClosed,
    exceptions.UserNotLoggedIn,
    exceptions.KeyHandleInvalid,
    exceptions.ObjectHandleInvalid,
    exceptions.SlotIDInvalid,
    exceptions.TokenNotPresent,
    exceptions.DeviceRemoved,
    exceptions.DeviceError,
    exceptions.GeneralError,
)
"""Errors that a token gives after a reset: a new session may cure them."""


class Token:
    """One token and this process's session with it."""

    def __init__(self, uri: Pkcs11Uri) -> None:
        """Take the token that the URI names; nothing is opened yet."""
        self._uri = uri
        self._lock = threading.Lock()
        self._session: pkcs11.Session | None = None

    def run(self, action: Callable[[pkcs11.Session], Result]) -> Result:
        """Run `action` with the session, alone; once more with a new session if it was lost.

        Raise KEY_STORE_UNAVAILABLE with the name of the PKCS#11 error.
        """
        with self._lock:
            try:
                return self._run(action)
            except exceptions.PKCS11Error as error:
                detail = f"token {self._uri.token!r}: {type(error).__name__}"
                raise HomeportError(Code.KEY_STORE_UNAVAILABLE, detail) from None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Give the session up and keep everybody from opening another."""
        with self._lock:
            self._forget_session()
            yield

    def _run(self, action: Callable[[pkcs11.Session], Result]) -> Result:
        if self._session is not None:
            try:
                return action(self._session)
            except LOST:
                self._forget_session()
        self._session = self._open()
        return action(self._session)

    def _open(self) -> pkcs11.Session:
        token = _load(self._uri.module_path).get_token(token_label=self._uri.token)
        pin = self._uri.pin()
        try:
            return token.open(rw=True, user_pin=pin.reveal() if pin else None)
        except exceptions.UserAlreadyLoggedIn:
            # The login belongs to the process (section 5.6): another library has logged in.
            return token.open(rw=True)

    def _forget_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            # It is lost already, which is why we are here.
            with suppress(exceptions.PKCS11Error):
                session.close()


_tokens: Final[dict[tuple[Path, str, Path | None], Token]] = {}
_tokens_lock: Final = threading.Lock()
_loaded: Final[set[Path]] = set()
_modules_lock: Final = threading.Lock()
# Locks are taken in this order: all tokens, one token, modules.


def token_of(uri: Pkcs11Uri) -> Token:
    """Return this process's `Token` for the module, token label and PIN file of the URI."""
    with _tokens_lock:
        return _tokens.setdefault((uri.module_path, uri.token, uri.pin_source), Token(uri))


def reload_modules() -> None:
    """Initialise every loaded module again, so that tokens initialised since are seen.

    SoftHSM2 lists its tokens once. Sessions are opened again when next needed. No other library
    of this process may be using the modules meanwhile.
    """
    with ExitStack() as held:
        held.enter_context(_tokens_lock)
        for token in _tokens.values():
            held.enter_context(token.paused())
        held.enter_context(_modules_lock)
        for path in _loaded:
            _initialise_with_locks(path)


def _load(path: Path) -> "_pkcs11.lib":
    try:
        module: _pkcs11.lib = pkcs11.lib(str(path))
        with _modules_lock:
            if path not in _loaded:
                _initialise_with_locks(path)
                _loaded.add(path)
    except (exceptions.PKCS11Error, OSError, RuntimeError) as error:
        detail = f"PKCS#11 module {path}: {str(error) or type(error).__name__}"
        raise HomeportError(Code.KEY_STORE_UNAVAILABLE, detail) from None
    return module


class _InitializeArguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (section 3.7): no call-backs, the system's own locks."""

    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _FunctionList(ctypes.Structure):
    """The beginning of CK_FUNCTION_LIST (section 3.6)."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


def _initialise_with_locks(path: Path) -> None:
    """Initialise the module again, with locks: `python-pkcs11` passes NULL, which means without.

    Done before any session exists, so nothing is lost. A module that refuses is used as it was.
    """
    functions = ctypes.POINTER(_FunctionList)()
    if ctypes.CDLL(str(path)).C_GetFunctionList(ctypes.byref(functions)) != CKR_OK:
        return
    arguments = _InitializeArguments(flags=CKF_OS_LOCKING_OK)
    functions.contents.finalize(None)
    if functions.contents.initialize(ctypes.byref(arguments)) != CKR_OK:
        functions.contents.initialize(None)
