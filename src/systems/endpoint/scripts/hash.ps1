# The files of a backup and of the application it was made from.
param($Parameters)

$files = Join-Path $Parameters.backup 'files'
if (-not (Test-Path -LiteralPath $files -PathType Container)) { Fail 'UnexpectedState' "the backup $($Parameters.backup) does not exist" }
$application = Get-Application $Parameters.site $Parameters.application
@{ backup = @(Get-FileList $files); deployed = @(Get-FileList $application.physicalPath) }
