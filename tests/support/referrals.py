"""The referral programme where a test takes no part in it."""

from tui.domain.referral import Standing
from tui.sources.unasked import UnaskedReferrals

NO_REFERRALS = UnaskedReferrals(Standing.NOT_ASKED, "this test asks nobody")
