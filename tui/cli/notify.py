"""`resetbank notify`: where notices go, and a trial of every channel."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--test", action="store_true", help="send one notice by every channel of the settings")


def run(arguments: argparse.Namespace) -> int:
    """Say where notices go; with --test send one there: exit 0 if every channel took it."""
    import asyncio

    from tui.assembly import open_channels
    from tui.paths import resetbank_paths
    from tui.settings import load_settings

    settings = load_settings(resetbank_paths().settings).notify
    if not settings.channels:
        print('No channel is set; for example [notify] channels = ["desktop"] in the settings.')
        return 0
    if not arguments.test:
        print(f"channels  {', '.join(settings.channels)}")
        print(f"events    {', '.join(settings.events)}")
        print(f"quiet     {settings.quiet or 'never'}")
        if settings.webhook:
            from tui.channels.webhook import host_of

            print(f"webhook   {host_of(settings.webhook)}")
        return 0

    async def trial() -> int:
        from tui.channels.base import Notice
        from tui.clock import SystemClock
        from tui.errors import NoticeFailed

        moment = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%SZ")
        notice, failed = Notice("test", "resetbank", "This is a test; nothing has happened.", None, moment), 0
        for name, channel in open_channels(settings).items():
            try:
                await channel(notice)
            except NoticeFailed as error:
                failed = 1
                print(f"{name:<9} failed: {error}")
            else:
                print(f"{name:<9} sent")
        return failed

    return asyncio.run(trial())
