//! KL(q ‖ p) between two softmaxes; its uniform is that of [`super::kl_divergence`].

pub mod forward;

#[cfg(test)]
mod tests;
