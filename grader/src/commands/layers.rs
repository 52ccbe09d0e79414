//! `grader layers`: what each layer of the learner's images holds, costs and wastes.
//!
//! Owns: which images are shown, and in which form. Must not: compute sizes, or judge.

use std::io::Write;

use super::look;
use crate::cli::{LayersArgs, LookFormat};
use crate::course::Lesson;
use crate::fault::Fault;
use crate::looks::Trouble;
use crate::looks::layers::{ImageLayers, Layers, SCHEMA};
use crate::picture;
use crate::sandbox::Sandbox;
use crate::sandbox::docker::DockerSandbox;

/// Builds, looks, and writes what was found. 1 when an image could not be shown.
pub async fn run(args: &LayersArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let lesson = look::lesson_of(&args.look)?;
    let names = names(&lesson, args.image.as_deref())?;
    let work = async |sandbox: &DockerSandbox| layers(&lesson, sandbox, &names).await;
    let Some(layers) = look::look(&args.look, &lesson, work, out).await? else { return Ok(1) };
    let human = |layers: &Layers| look::written(|out| layers.write(args.base, look::columns(&args.look), out));
    match args.look.format {
        LookFormat::Human => look::put(&args.look, &human(&layers)?, out)?,
        LookFormat::Json => look::put(&args.look, &look::json(&layers)?, out)?,
        // A picture of nothing helps nobody: what went wrong is told beside it.
        LookFormat::Svg if !layers.images.is_empty() => {
            look::put(&args.look, &picture::layers(&layers, args.base), out)?;
        }
        LookFormat::Svg => {}
    }
    if args.look.format == LookFormat::Svg && !layers.troubles.is_empty() {
        let only = Layers { images: Vec::new(), ..layers.clone() };
        anstream::eprint!("{}", human(&only)?);
    }
    Ok(u8::from(!layers.troubles.is_empty()))
}

/// The image that was named, or all that the lesson builds.
pub fn names(lesson: &Lesson, named: Option<&str>) -> Result<Vec<String>, Fault> {
    let known: Vec<String> = lesson.spec.builds.iter().map(|image| image.name.clone()).collect();
    let id = &lesson.spec.id;
    match named {
        _ if known.is_empty() => Err(Fault::Usage { message: format!("{id} builds no image") }),
        None => Ok(known),
        Some(name) if known.iter().any(|one| one == name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(Fault::Usage {
            message: format!("{id} builds no image called `{name}`; it builds: {}", known.join(", ")),
        }),
    }
}

/// Builds the images and looks at their layers.
pub async fn layers(lesson: &Lesson, sandbox: &DockerSandbox, names: &[String]) -> Result<Layers, Fault> {
    let looks = names.iter().map(async |name| {
        if let Some(failure) = sandbox.built(name).await?.failure {
            return Ok(Err(Trouble::build(name, failure)));
        }
        let base = sandbox.image(name).await?.base;
        let (origins, files) = tokio::try_join!(sandbox.layer_origins(name), sandbox.layer_files(name))?;
        Ok::<_, Fault>(Ok(ImageLayers::new(name, base, origins, &files)))
    });
    let (mut images, mut troubles) = (Vec::new(), Vec::new());
    for looked in futures_util::future::try_join_all(looks).await? {
        match looked {
            Ok(image) => images.push(image),
            Err(trouble) => troubles.push(trouble),
        }
    }
    let (id, title) = (lesson.spec.id.clone(), lesson.spec.title.clone());
    Ok(Layers { schema: SCHEMA, lesson: id, title, images, troubles })
}
