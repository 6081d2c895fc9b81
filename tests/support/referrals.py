"""The referral programme where a test takes no part in it."""

from tui.domain.referral import OfferStatus
from tui.sources.null_referrals import NullReferrals

NO_REFERRALS = NullReferrals(OfferStatus.NOT_ASKED, "this test asks nobody")
