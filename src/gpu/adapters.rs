//! Every adapter of this machine, and which one a choice means.

use serde::Serialize;

use super::ready::ready;

/// What a user may say after `--device`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Choice {
    /// A hardware adapter if there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU twins.
    Cpu,
    /// The adapter of that number in the list.
    Number(usize),
    /// The first adapter whose name, driver or backend contains this, in any case.
    Name(String),
}

impl std::str::FromStr for Choice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim() {
            "" | "auto" => Choice::Auto,
            "cpu" => Choice::Cpu,
            other => other.parse().map_or_else(|_| Choice::Name(other.to_owned()), Choice::Number),
        })
    }
}

/// Why no device could be chosen or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Nothing fits the choice.
    #[error("no adapter fits --device {wanted}; there {}", list(.known))]
    NoSuchAdapter {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The driver would not open the adapter.
    #[error(
        "{adapter} could not be opened: {message}; try another one (`rationale devices`) or --device cpu"
    )]
    Open {
        /// The adapter.
        adapter: String,
        /// The driver's words.
        message: String,
    },
    /// A shader of one's own that does not fit.
    #[error(transparent)]
    Shader(#[from] super::ShaderFileError),
    /// The adapter lacks what every kernel needs.
    #[error(
        "{adapter} cannot run compute shaders ({missing}); try another one (`rationale devices`) or --device cpu"
    )]
    Unfit {
        /// The adapter.
        adapter: String,
        /// What it lacks.
        missing: String,
    },
}

fn list(known: &[String]) -> String {
    if known.is_empty() {
        "is only the CPU (--device cpu). On Debian or Ubuntu without a GPU, `mesa-vulkan-drivers` is a software \
         adapter"
            .to_owned()
    } else {
        format!("are: {}, and cpu", known.join(", "))
    }
}

/// One adapter, for people and for JSON.
#[derive(Clone, Debug, Serialize)]
pub struct AdapterReport {
    /// Position in the list; `--device` takes it.
    pub number: usize,
    /// The adapter's own name.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// Discrete, integrated, virtual, software (a CPU in disguise) or other.
    pub kind: String,
    /// Driver and version.
    pub driver: String,
    /// Largest storage binding in bytes.
    pub max_storage_binding_bytes: u64,
    /// Largest buffer in bytes.
    pub max_buffer_bytes: u64,
    /// Workgroup memory in bytes.
    pub max_workgroup_bytes: u32,
    /// Invocations of a workgroup.
    pub max_invocations: u32,
    /// Storage buffers of a dispatch.
    pub max_storage_buffers: u32,
    /// Smallest and largest subgroup.
    pub subgroup_sizes: [u32; 2],
    /// Of the features that kernels may use, those that it has.
    pub features: Vec<String>,
    /// What is missing to run compute shaders at all; empty when nothing is.
    pub missing: Vec<String>,
}

impl AdapterReport {
    /// Whether it is a CPU in disguise, such as llvmpipe.
    pub fn is_software(&self) -> bool {
        self.kind == "software"
    }

    /// Name and backend in one line.
    pub fn title(&self) -> String {
        format!("{} ({})", self.name, self.backend)
    }
}

/// What a choice came to.
#[derive(Debug)]
pub enum Chosen {
    /// The CPU twins, and why.
    Cpu(String),
    /// An adapter, its report, and why.
    Gpu(Box<wgpu::Adapter>, Box<AdapterReport>, String),
}

/// Storage buffers that the widest kernel binds; held against the shaders by a test.
pub(crate) const NEEDED_STORAGE_BUFFERS: u32 = 8;

fn report(number: usize, adapter: &wgpu::Adapter) -> AdapterReport {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let features = adapter.features();
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    };
    let named = [
        (wgpu::Features::SUBGROUP, "subgroups"),
        (wgpu::Features::SHADER_F16, "f16"),
        (wgpu::Features::TIMESTAMP_QUERY, "timestamps"),
    ];
    let mut missing = Vec::new();
    let downlevel = adapter.get_downlevel_capabilities();
    if !downlevel.flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
        missing.push("no compute shaders".to_owned());
    }
    if limits.max_storage_buffers_per_shader_stage < NEEDED_STORAGE_BUFFERS {
        missing.push(format!(
            "{} storage buffers per dispatch, {NEEDED_STORAGE_BUFFERS} needed",
            limits.max_storage_buffers_per_shader_stage
        ));
    }
    if limits.max_compute_invocations_per_workgroup < 256 {
        missing.push(format!(
            "{} invocations per workgroup, 256 needed",
            limits.max_compute_invocations_per_workgroup
        ));
    }
    AdapterReport {
        number,
        name: info.name,
        backend: info.backend.to_str().to_owned(),
        kind: kind.to_owned(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        max_storage_binding_bytes: limits.max_storage_buffer_binding_size,
        max_buffer_bytes: limits.max_buffer_size,
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        max_invocations: limits.max_compute_invocations_per_workgroup,
        max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
        subgroup_sizes: [info.subgroup_min_size, info.subgroup_max_size],
        features: named.iter().filter(|(f, _)| features.contains(*f)).map(|(_, n)| (*n).to_owned()).collect(),
        missing,
    }
}

fn enumerate(backends: wgpu::Backends) -> Vec<(wgpu::Adapter, AdapterReport)> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let mut found = ready(instance.enumerate_adapters(backends)).unwrap_or_default();
    // The same card may answer through several backends: the order below is that of preference.
    let rank = |adapter: &wgpu::Adapter| match adapter.get_info().backend {
        wgpu::Backend::Vulkan => 0,
        wgpu::Backend::Metal => 1,
        wgpu::Backend::Dx12 => 2,
        wgpu::Backend::Gl => 3,
        _ => 4,
    };
    found.sort_by_key(rank);
    found
        .into_iter()
        .enumerate()
        .map(|(number, adapter)| {
            let report = report(number, &adapter);
            (adapter, report)
        })
        .collect()
}

/// Every adapter, in the order of their numbers. Environment variables of wgpu (`WGPU_BACKEND` …) apply.
pub fn adapters() -> Vec<AdapterReport> {
    enumerate(wgpu::Backends::all()).into_iter().map(|(_, report)| report).collect()
}

/// Finds what a choice means on this machine, with the reason in words. Says which others would have fitted.
pub fn choose(choice: &Choice) -> Result<Chosen, DeviceError> {
    if *choice == Choice::Cpu {
        return Ok(Chosen::Cpu("asked for".to_owned()));
    }
    // GL comes last, and its drivers write to standard error: it is looked at only where a number asks for it, a name
    // fits nothing else, or there is no other adapter at all.
    let all = wgpu::Backends::all();
    if matches!(choice, Choice::Number(_)) {
        return choose_among(choice, enumerate(all));
    }
    let first = enumerate(wgpu::Backends::PRIMARY);
    let none = first.is_empty();
    match choose_among(choice, first) {
        Ok(Chosen::Cpu(_)) if none => choose_among(choice, enumerate(all)),
        Err(DeviceError::NoSuchAdapter { .. }) => choose_among(choice, enumerate(all)),
        found => found,
    }
}

fn choose_among(choice: &Choice, all: Vec<(wgpu::Adapter, AdapterReport)>) -> Result<Chosen, DeviceError> {
    let titles = |reports: &[&AdapterReport]| reports.iter().map(|r| r.title()).collect::<Vec<_>>();
    let known: Vec<String> = all.iter().map(|(_, report)| report.title()).collect();
    let wanted = match choice {
        Choice::Number(number) => number.to_string(),
        Choice::Name(name) => name.clone(),
        _ => "auto".to_owned(),
    };
    let fits = |report: &AdapterReport| match choice {
        Choice::Auto => !report.is_software() && report.missing.is_empty(),
        Choice::Number(number) => report.number == *number,
        Choice::Name(part) => {
            let part = part.to_lowercase();
            [&report.name, &report.driver, &report.backend].iter().any(|s| s.to_lowercase().contains(&part))
        }
        Choice::Cpu => false,
    };
    let mut fitting: Vec<(wgpu::Adapter, AdapterReport)> = Vec::new();
    let mut software = 0;
    for (adapter, report) in all {
        software += usize::from(report.is_software());
        if fits(&report) {
            fitting.push((adapter, report));
        }
    }
    if *choice == Choice::Auto {
        // Discrete before integrated before the rest; within a kind the order of backends.
        fitting.sort_by_key(|(_, report)| match report.kind.as_str() {
            "discrete" => 0,
            "integrated" => 1,
            _ => 2,
        });
    }
    let others: Vec<String> = titles(&fitting.iter().skip(1).map(|(_, report)| report).collect::<Vec<_>>());
    let Some((adapter, report)) = fitting.into_iter().next() else {
        return match choice {
            Choice::Auto => Ok(Chosen::Cpu(if software > 0 {
                "no hardware adapter; a software adapter is there, but slower than the CPU device".to_owned()
            } else {
                "no hardware adapter".to_owned()
            })),
            _ => Err(DeviceError::NoSuchAdapter { wanted, known }),
        };
    };
    if !report.missing.is_empty() {
        return Err(DeviceError::Unfit { adapter: report.title(), missing: report.missing.join("; ") });
    }
    let mut reason = match choice {
        Choice::Auto => format!("the first {} adapter", report.kind),
        _ => format!("asked for as `{wanted}`"),
    };
    if !others.is_empty() {
        reason.push_str(&format!("; others that fit: {}", others.join(", ")));
    }
    Ok(Chosen::Gpu(Box::new(adapter), Box::new(report), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_parse() {
        let parse = |text: &str| text.parse::<Choice>().unwrap();
        assert_eq!(parse("auto"), Choice::Auto);
        assert_eq!(parse("cpu"), Choice::Cpu);
        assert_eq!(parse("1"), Choice::Number(1));
        assert_eq!(parse("llvmpipe"), Choice::Name("llvmpipe".into()));
    }

    #[test]
    fn the_widest_kernel_binds_no_more_than_is_asked_for() {
        let widest = crate::shader::SHADERS.iter().map(|s| s.bindings.len()).max().unwrap();
        assert!(widest as u32 <= NEEDED_STORAGE_BUFFERS);
    }

    #[test]
    fn an_unknown_name_lists_what_there_is() {
        let error = choose(&Choice::Name("no such card".into())).unwrap_err();
        assert!(error.to_string().contains("no such card"), "{error}");
        assert!(error.to_string().contains("cpu"), "{error}");
    }
}
