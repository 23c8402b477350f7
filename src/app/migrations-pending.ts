/** Tables are missing in a database that is not ours to change without being asked. */
export class MigrationsPending extends Error {
  override readonly name = 'MigrationsPending'

  /** `variable` names the database, `command` applies them. */
  constructor(names: readonly string[], variable: string, command: string) {
    super(
      `the database of ${variable} lacks ${names.length} ${names.length === 1 ? 'migration' : 'migrations'} ` +
        `(${names.join(', ')}). Apply with: ${command}`,
    )
  }
}
