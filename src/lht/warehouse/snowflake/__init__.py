"""The warehouse port on Snowflake. Only this folder speaks to Snowflake's connector and to Snowpark."""
