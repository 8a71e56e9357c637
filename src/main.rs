//! The program `rationale`; everything is in [`rationale::cli`].

fn main() -> std::process::ExitCode {
    // wgpu's GL backend asks libwayland for a display, and without a session libwayland complains on standard error
    // about XDG_RUNTIME_DIR. An absolute path it tries in silence.
    let unset = |name| std::env::var_os(name).is_none();
    if cfg!(unix) && ["XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "DISPLAY"].into_iter().all(unset) {
        // SAFETY: no other thread is running yet.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var("WAYLAND_DISPLAY", "/none");
        }
    }
    rationale::cli::main()
}
