/**
 * The environment a measured server starts with: this process's own, less every GOTIFY_* name, so that a setting
 * left over in the shell never slips into a measurement. The only file of the suite that reads the environment.
 */
export function childEnvironment(
  settings: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GOTIFY_'))
  return { ...Object.fromEntries(inherited), ...settings }
}
