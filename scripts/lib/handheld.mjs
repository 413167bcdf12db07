// The real screens on a plain JVM: `LiveHandheld` in a browser page, `OnceHandheld` driven by itself.
import { readFileSync } from "node:fs";
import { join } from "node:path";

// What the screens' main classes need of the JVM; the same as for their tests in android/pom.xml.
const JVM = ["-Xmx1500m", "-Drobolectric.windowManager.useRequestedSize=true"];
const PACKAGE = "org.holdfast.handheld.live";

/** The command for one of the main classes; settings become -Dholdfast.NAME=VALUE. */
export function handheldCommand({ root, bin, main, settings }) {
  const built = join(root, "android/target");
  const libraries = readFileSync(join(built, "test.classpath"), "utf8").trim();
  const classes = [join(built, "classes"), join(built, "test-classes"), libraries].join(":");
  const told = Object.entries(settings).map(([name, value]) => `-Dholdfast.${name}=${value}`);
  return [...JVM, `-Djna.library.path=${bin}`, ...told, "-cp", classes, `${PACKAGE}.${main}`];
}
