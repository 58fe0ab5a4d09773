"""Lifecycle hooks: postStart and preStop, by exec, httpGet or sleep.

(source: `pkg/kubelet/lifecycle/handlers.go`)
"""

from __future__ import annotations

import asyncio

import aiohttp

from ..probes.checks import Checks, ProbeTarget, check_exec
from ..records import Object


class HookError(Exception):
    """A hook failed."""


async def run(hook: Object, target: ProbeTarget, checks: Checks) -> None:
    """Run a hook to its end.

    An HTTP hook has failed only where no answer came: what the answer says does not count.

    Parameters
    ----------
    hook : dict
        `lifecycle.postStart` or `lifecycle.preStop`.
    target : Target
        The container.
    checks : Checks
        Makes HTTP requests.

    Raises
    ------
    HookError
        It failed.
    """
    if "exec" in hook:
        verdict = await check_exec(target.container, hook["exec"].get("command") or [], None)
        if not verdict.ok:
            raise HookError(verdict.output)
    elif "httpGet" in hook:
        try:
            await checks.fetch(hook["httpGet"], target)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise HookError(str(error)) from None
    elif "sleep" in hook:
        await asyncio.sleep(hook["sleep"]["seconds"])
    else:
        raise HookError(f"invalid handler: {', '.join(hook)}")
