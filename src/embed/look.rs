//! What the model makes of a picture, and what it looks at, drawn into a texture of the host.

use std::sync::Arc;

use super::recorded::{SHOW, SHOWN, SHOWN_MAP, TABLE};
use super::step::bytes;
use super::textures::{TARGET, check};
use super::{EmbedError, Pending, Subject, Trainer};
use crate::exec::Loaded;
use crate::model::LOGITS;
use crate::train::probabilities;

/// What the model makes of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The class of the largest logit, the first of equal ones.
    pub class: usize,
    /// Probability of each class.
    pub probabilities: Vec<f64>,
    /// Logit of each class.
    pub logits: Vec<f32>,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// |d log p(predicted class) / dx| at each pixel, over the channels' root of squares, as a share of the picture's largest.
    InputGradient,
    /// What the mapping layer lets through at each position of f(x): |w| of the diagonal, or the gate's g for this picture, over
    /// the channels' root of squares, as a share of the largest.
    Mapping,
    /// x′: the picture with what its mask leaves out replaced by the fill. In its own colours.
    MaskedInput,
}

/// 256 colours, RGBA, for the values 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColorMap {
    colors: Vec<[u8; 4]>,
}

impl ColorMap {
    /// Black, violet, red, orange, pale yellow: every colour lighter than the one before.
    pub fn heat() -> Self {
        Self::between(&[
            [4, 4, 12],
            [62, 16, 104],
            [148, 40, 106],
            [222, 82, 52],
            [250, 168, 34],
            [252, 252, 186],
        ])
    }

    /// Black to white.
    pub fn grey() -> Self {
        Self::between(&[[0, 0, 0], [255, 255, 255]])
    }

    /// Straight lines between these colours, evenly spaced. Without any: black.
    pub fn between(stops: &[[u8; 3]]) -> Self {
        let color = |i: usize| {
            let at = i as f64 / 255.0 * stops.len().saturating_sub(1) as f64;
            let low = stops.get(at as usize).copied().unwrap_or_default();
            let high = stops.get(at as usize + 1).copied().unwrap_or(low);
            let mix = |c: usize| {
                (f64::from(low[c]) * (1.0 - at.fract()) + f64::from(high[c]) * at.fract()).round() as u8
            };
            [mix(0), mix(1), mix(2), 255]
        };
        Self { colors: (0..256).map(color).collect() }
    }

    /// A table of one's own.
    pub fn custom(colors: &[[u8; 4]; 256]) -> Self {
        Self { colors: colors.to_vec() }
    }

    /// The colours, from that of 0 to that of 1.
    pub fn colors(&self) -> &[[u8; 4]] {
        &self.colors
    }
}

impl Trainer {
    /// Asks for what the model, as it is now, makes of a picture.
    pub fn predict(&mut self, subject: Subject<'_>) -> Result<Pending<Prediction>, EmbedError> {
        let index = self.show(subject)?;
        let plan = self.recorded.logits;
        let Self { host, store, setup, .. } = self;
        let logits = &store.locate(Some(plan), LOGITS)?.gpu;
        let [order, clock] = [place(store, "order")?, place(store, "clock")?];
        let readback = Arc::default();
        let pieces = [(logits, setup.classes as u64 * 4)];
        host.read_back("reading a prediction", &pieces, &readback, |gpu, encoder| {
            gpu.queue().write_buffer(order, 0, bytes(&[index as u32]));
            gpu.queue().write_buffer(clock, 0, bytes(&[0]));
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            store.encode(&mut pass, plan, 0..store.plan(plan).commands().len());
        })?;
        Ok(Pending::new(&self.host.gpu, "reading a prediction", &readback, |words| {
            let logits: Vec<f32> = words.into_iter().map(f32::from_bits).collect();
            let better = |best: usize, k: usize| if logits[k] > logits[best] { k } else { best };
            let class = (0..logits.len()).fold(0, better);
            Ok(Prediction { class, probabilities: probabilities(&logits), logits })
        }))
    }

    /// Draws over the whole target, a view of an `Rgba8Unorm` or `Bgra8Unorm` texture (either with `Srgb`) with the usage
    /// `RENDER_ATTACHMENT`. The map is scaled to the target's size without smoothing. The colour map does not apply to
    /// [`Overlay::MaskedInput`], nor the subject to the weights of a diagonal mapping. Nothing is read back.
    pub fn overlay(
        &mut self,
        target: &wgpu::TextureView,
        subject: Subject<'_>,
        kind: Overlay,
        colors: &ColorMap,
    ) -> Result<(), EmbedError> {
        self.require_prepared()?;
        check("overlay", target, TARGET, wgpu::TextureUsages::RENDER_ATTACHMENT, None)?;
        let (input, features) = (self.network.input(), self.network.features());
        let (plan, texels, size) = match kind {
            Overlay::InputGradient => (self.recorded.gradient, SHOWN, input),
            Overlay::MaskedInput => (self.recorded.masked, SHOWN, input),
            Overlay::Mapping => {
                let mapping = self.setup.model.mapping;
                (self.recorded.mapping.ok_or(EmbedError::NoMap { mapping })?, SHOWN_MAP, features)
            }
        };
        if kind == Overlay::MaskedInput {
            match subject {
                Subject::Stored(index) => {
                    self.require_place(index)?;
                    if !self.slots.explained[index] {
                        return Err(EmbedError::NoMask { what: format!("picture {index}") });
                    }
                }
                Subject::Given(_) => {
                    return Err(EmbedError::NoMask { what: "a picture that is not stored".to_owned() });
                }
            }
        }
        let index = self.show(subject)?;
        self.draw(target, (plan, index), texels, (size.width as u32, size.height as u32), colors)
    }

    fn draw(
        &mut self,
        target: &wgpu::TextureView,
        (plan, index): (Loaded, usize),
        texels: &str,
        size: (u32, u32),
        colors: &ColorMap,
    ) -> Result<(), EmbedError> {
        let Self { host, store, textures, .. } = self;
        let [order, clock] = [place(store, "order")?, place(store, "clock")?];
        let table = &store.locate(None, TABLE)?.gpu;
        let texels = &store.locate(None, texels)?.gpu;
        host.submit("drawing an overlay", |gpu, encoder| {
            gpu.queue().write_buffer(order, 0, bytes(&[index as u32]));
            gpu.queue().write_buffer(clock, 0, bytes(&[0]));
            gpu.queue().write_buffer(table, 0, colors.colors.as_flattened());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                store.encode(&mut pass, plan, 0..store.plan(plan).commands().len());
            }
            if let Some(textures) = textures {
                textures.record_draw(gpu, encoder, texels, size, target);
            }
        })?;
        Ok(())
    }

    /// The number of the picture that is looked at; one that is given goes to the place past the training pictures.
    fn show(&mut self, subject: Subject<'_>) -> Result<usize, EmbedError> {
        self.require_prepared()?;
        match subject {
            Subject::Stored(index) => {
                self.require_place(index)?;
                if self.slots.pixels[index] { Ok(index) } else { Err(EmbedError::NoPicture { index }) }
            }
            Subject::Given(picture) => {
                let index = self.setup.capacity;
                self.place_picture(index, "the picture that was given", picture)?;
                Ok(index)
            }
        }
    }
}

fn place<'a>(store: &'a crate::exec::Store, field: &str) -> Result<&'a wgpu::Buffer, EmbedError> {
    Ok(&store.locate(None, &format!("{SHOW}.{field}"))?.gpu)
}
