"""The names that Snowflake's connector has for its parameters, in versions 4 and 5; a test compares them.

They are written down here, as importing the connector takes a second or two and most commands need no warehouse.
"""

from __future__ import annotations

NUMBERS = frozenset(
    {
        "client_fetch_threads", "client_prefetch_threads", "client_session_keep_alive_heartbeat_frequency",
        "external_browser_timeout", "iobound_tpe_limit", "login_timeout", "master_validity_in_seconds",
        "network_timeout", "ocsp_root_certs_dict_lock_timeout", "port", "socket_timeout", "log_max_query_length",
        "crl_connection_timeout_ms", "crl_read_timeout_ms", "crl_cache_removal_delay_days",
        "crl_cache_cleanup_interval_hours", "crl_download_max_size",
        # of the connector's version 5
        "authentication_timeout", "client_memory_limit", "connect_timeout", "crl_cache_cleanup_interval",
        "crl_connection_timeout", "crl_http_timeout", "crl_max_download_size", "crl_on_disk_cache_removal_delay",
        "crl_validity_time", "jwt_timeout", "logout_max_attempts", "logout_request_timeout_seconds",
        "logout_total_timeout_seconds", "put_get_max_attempts", "query_timeout", "request_timeout",
        "retry_backoff_base_ms", "retry_backoff_cap_ms", "retry_max_attempts", "retry_timeout",
    }
)  # fmt: skip
BOOLEANS = frozenset(
    {
        "allow_certificates_without_crl_url", "check_arrow_conversion_error_on_every_column", "client_fetch_use_mp",
        "client_request_mfa_token", "client_session_keep_alive", "client_store_temporary_credential",
        "consent_cache_id_token", "crl_cache_start_cleanup", "debug_arrow_chunk", "disable_console_login",
        "disable_ocsp_checks", "disable_query_context_cache", "disable_request_pooling", "disable_saml_url_check",
        "enable_connection_diag", "enable_crl_cache", "enable_crl_file_cache",
        "enable_retry_reason_in_query_response", "enable_stage_s3_privatelink_for_us_east_1",
        "json_result_force_utf8_decoding", "log_imported_packages_in_telemetry", "oauth_credentials_in_body",
        "oauth_disable_pkce", "oauth_enable_refresh_tokens", "oauth_enable_single_use_refresh_tokens",
        "ocsp_fail_open", "passcode_in_password", "reraise_error_in_file_transfer_work_function",
        "server_session_keep_alive", "support_negative_year", "unsafe_file_write",
        "unsafe_skip_file_permissions_check", "use_openssl_only", "validate_default_parameters",
        "workload_identity_aws_use_outbound_token",
        # of the connector's version 5
        "allow_empty_proxy", "client_metadata_request_use_connection_ctx", "client_out_of_band_telemetry_enabled",
        "crl_allow_certificates_without_crl_url", "crl_enable_disk_caching", "crl_enable_memory_caching",
        "crl_unsafe_skip_file_permissions_check", "disable_parallel_user_prompt",
        "enable_server_session_keep_alive_auto_detection", "gcs_use_downscoped_credential", "include_retry_reason",
        "log_query_parameters", "log_query_text", "oauth_enable_dpop", "preserve_underscores_in_hostname",
        "serialize_session_operations", "tls_skip_verify", "unsafe_skip_config_file_permissions_check",
        "use_proxy_env", "verify_certificates", "verify_hostname",
    }
)  # fmt: skip
OF_LHT = frozenset(
    {
        "arrow_number_to_decimal", "auth_class", "autocommit", "backoff_policy", "converter_class",
        "dsn", "external_session_id", "inject_client_pause", "internal_application_name",
        "internal_application_version", "interpolate_empty_sequences", "mfa_callback", "numpy",
        "ocsp_response_cache_filename", "paramstyle", "password_callback", "probe_connection", "reuse_results",
        "query_tag", "server_url", "service_name", "session_id", "ssl", "use_current_catalog",
        "client_app_id", "client_app_version", "client_timestamp_type_mapping", "snowflake_server_dop_cap_for_file_transfer", "timezone",
    }
)  # fmt: skip
"""The connector's, but no user's: objects of Python, Snowflake's internals, and what LHT's work or safety rests on."""
KEYS = (
    NUMBERS
    | BOOLEANS
    | frozenset(
        {
            "account", "application", "authenticator", "cert_revocation_check_mode", "connection_diag_allowlist_path",
            "connection_diag_log_path", "connection_diag_whitelist_path", "crl_cache_dir",
            "crl_cache_validity_hours", "database", "host", "master_token", "no_proxy", "oauth_authorization_url",
            "oauth_client_id", "oauth_client_secret", "oauth_redirect_uri", "oauth_scope", "oauth_socket_uri",
            "oauth_token_request_url", "passcode", "password", "platform_detection_timeout_seconds", "private_key",
            "private_key_file", "private_key_file_pwd", "private_key_passphrase", "private_key_raw", "protocol", "proxy_host",
            "proxy_password", "proxy_port", "proxy_user", "region", "role", "schema", "secondary_roles",
            "session_parameters", "session_token", "token", "token_file_path", "user", "warehouse",
            "workload_identity_entra_resource", "workload_identity_host", "workload_identity_impersonation_path",
            "workload_identity_provider",
            # of the connector's version 5
            "crl_check_mode", "custom_root_store_path", "logout_error_strategy", "max_tls_version",
            "min_tls_version", "okta_username", "proxy", "proxy_scheme", "retry_backoff_factor",
            "retry_backoff_jitter", "retry_extra_status_codes", "wif_host",
        }
    )
)  # fmt: skip
RENAMED = {
    "private_key_path": "private_key_file",
    "private_key_file_pwd": "private_key_passphrase",
    "private_key_password": "private_key_passphrase",
    "insecure_mode": "disable_ocsp_checks",
}
"""Other names of some keys: the Snowflake CLI's, and those of the connector's generations."""
SECRETS = frozenset(
    {
        "master_token", "oauth_client_secret", "passcode", "password", "private_key", "private_key_passphrase",
        "private_key_raw", "proxy_password", "session_token", "token",
    }
)  # fmt: skip
PATHS = ("private_key_file", "private_key_path", "token_file_path")
"""Keys that name a file; a relative one starts where the project does."""
AUTHENTICATORS = (
    "SNOWFLAKE",
    "EXTERNALBROWSER",
    "SNOWFLAKE_JWT",
    "OAUTH",
    "OAUTH_AUTHORIZATION_CODE",
    "OAUTH_CLIENT_CREDENTIALS",
    "PROGRAMMATIC_ACCESS_TOKEN",
    "USERNAME_PASSWORD_MFA",
    "WORKLOAD_IDENTITY",
)
GENERIC = (
    "account", "user", "password", "host", "port", "protocol", "authenticator", "workload_identity_provider",
    "private_key_file", "private_key_path", "private_key_raw", "database", "schema", "role", "warehouse",
    "session_token", "master_token", "token", "token_file_path", "oauth_client_id", "oauth_client_secret",
    "oauth_authorization_url", "oauth_token_request_url", "oauth_redirect_uri", "oauth_scope",
    "oauth_disable_pkce", "oauth_enable_refresh_tokens", "oauth_enable_single_use_refresh_tokens",
    "client_store_temporary_credential", "secondary_roles", "server_session_keep_alive",
)  # fmt: skip
"""Keys that `SNOWFLAKE_<KEY>` fills in where a connection leaves them out, as in the Snowflake CLI."""
