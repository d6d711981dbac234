"""Query results as typed Arrow batches: jobs followed, pages spooled, inflated, parsed."""
