"""Entries that several standard picklists share, and what a stage of a deal stands for."""

from __future__ import annotations

CLEAN_STATUSES = (
    ("Matched", "In Sync"),
    "Different",
    ("Acknowledged", "Reviewed"),
    ("NotFound", "Not Found"),
    "Inactive",
    ("Pending", "Not Compared"),
    ("SelectMatch", "Select Match"),
    "Skipped",
)
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
INDUSTRIES = (
    "Agriculture",
    "Apparel",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Communications",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Entertainment",
    "Environmental",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Recreation",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
)
TYPES = (
    "Prospect",
    "Customer - Direct",
    "Customer - Channel",
    "Channel Partner / Reseller",
    "Installation Partner",
    "Technology Partner",
    "Other",
)
FORECASTS = {
    "Omitted": "Omitted",
    "Pipeline": "Pipeline",
    "BestCase": "Best Case",
    "MostLikely": "Most Likely",
    "Forecast": "Commit",
    "Closed": "Closed",
}
"""Forecast category by the name that is shown for it."""

STAGES = {
    "Prospecting": (10, "Pipeline", False, False),
    "Qualification": (10, "Pipeline", False, False),
    "Needs Analysis": (20, "Pipeline", False, False),
    "Value Proposition": (50, "Pipeline", False, False),
    "Id. Decision Makers": (60, "BestCase", False, False),
    "Perception Analysis": (70, "BestCase", False, False),
    "Proposal/Price Quote": (75, "BestCase", False, False),
    "Negotiation/Review": (90, "Forecast", False, False),
    "Closed Won": (100, "Closed", True, True),
    "Closed Lost": (0, "Omitted", True, False),
}
"""A stage's probability in percent, forecast category, and whether the deal is closed, and won."""

TIME_ZONES = (
    "GMT",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Asia/Kolkata",
)
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "ja_JP", "es_ES", "hi_IN", "ar_AE")
LANGUAGES = ("en_US", "de", "es", "fr", "ja", "ko", "zh_CN", "ar")

SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)
CASE_STATUSES = ("New", "Working", "Escalated", "Closed")
CLOSED_CASE = "Closed"
CASE_TYPES = ("Mechanical", "Electrical", "Electronic", "Structural", "Other")
CASE_ORIGINS = ("Phone", "Email", "Web")
CASE_REASONS = (
    "Installation", "Equipment Complexity", "Performance", "Breakdown", "Equipment Design", "Feedback", "Other",
)  # fmt: skip
ROLES = (
    "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator", "Executive Sponsor",
    "Influencer", "Technical Buyer", "Other",
)  # fmt: skip
CAMPAIGN_TYPES = (
    "Conference", "Webinar", "Trade Show", "Public Relations", "Partners", "Referral Program", "Advertisement",
    "Banner Ads", "Direct Mail", "Email", "Telemarketing", "Other",
)  # fmt: skip
CAMPAIGN_STATUSES = ("Planned", "In Progress", "Completed", "Aborted")
MEMBER_STATUSES = {"Sent": False, "Responded": True}
"""Statuses that the members of a new campaign may have, and whether each counts as a response; the first is the usual one."""
