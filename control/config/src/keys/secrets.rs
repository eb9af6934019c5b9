//! Where ENC[...] values come from. spec: config §5.13, §9.

use super::keys;

keys! { SECRETS;
    SECRET_BACKEND_COMMAND: StrKey = "secret_backend_command", "",
        "Program that resolves ENC[...] values; empty means `secret_backend_type` decides.";
    SECRET_BACKEND_ARGUMENTS: ListKey = "secret_backend_arguments", "",
        "Arguments of that program, passed as they are, without a shell.";
    SECRET_BACKEND_TIMEOUT: IntKey = "secret_backend_timeout", "30",
        "Time the program may take.", [.range(1, 600).unit("seconds")];
    SECRET_BACKEND_OUTPUT_MAX_SIZE: IntKey = "secret_backend_output_max_size", "1048576",
        "Most bytes the program may print, on each of its outputs.",
        [.range(64, 64 << 20).unit("bytes")];
    SECRET_BACKEND_ALLOW_GROUP_EXEC: BoolKey =
        "secret_backend_command_allow_group_exec_perm", "false",
        "Lets the program's group read and run it too.";
    SECRET_BACKEND_REMOVE_LINE_BREAK: BoolKey =
        "secret_backend_remove_trailing_line_break", "false",
        "Cuts line breaks off the end of each secret.";
    SECRET_BACKEND_TYPE: StrKey = "secret_backend_type", "",
        "Built-in source of secrets when no program is set: file.json or file.yaml.";
    SECRET_BACKEND_CONFIG: MapKey = "secret_backend_config", "{}",
        "Settings of the built-in source: file_path.";
    MULTI_SECRET_BACKENDS: MapKey = "multi_secret_backends", "{}",
        "Built-in sources by name, each with `type` and `config`, for ENC[name;handle].";
    SECRET_REFRESH_INTERVAL: IntKey = "secret_refresh_interval", "0",
        "How often secrets are asked for again; 0 asks at start only.",
        [.range(0, 31_536_000).unit("seconds")];
    SECRET_REFRESH_SCATTER: BoolKey = "secret_refresh_scatter", "true",
        "Makes the first refresh come at a random time, so that a fleet does not ask all at once.";
    SECRET_REFRESH_ON_API_KEY_FAILURE: IntKey = "secret_refresh_on_api_key_failure_interval", "0",
        "Least time between refreshes caused by a refused API key; 0 causes none.",
        [.range(0, 525_600).unit("minutes")];
}
